import Base
import Console
import Linux
import Testing

@testable import Site

/// Behaviour 4.11, with the daemon as it is shipped, whose third uplink is metered.
@Suite(
    "The probes' budget", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(2)))
struct ProbeBudgetTests {
    @Test(
        "behaviour 4.11: a metered uplink is probed seldom, its bytes are told, and it still takes over at once"
    )
    func budget() async throws {
        try await Site.with { site in try await budget(in: site) }
    }

    private func lte(in site: Site) async throws -> StatusDocument.Uplink? {
        try await Seen(json: site.status()).status.uplinks.first { $0.name == "lte" }
    }

    private func budget(in site: Site) async throws {
        try await site.startDaemon(config: try Site.shippedConfiguration())
        try await site.waitUntil(within: .seconds(20), "the third uplink is up") {
            guard let lte = try? await lte(in: site) else { return false }
            return lte.isUp
        }
        try await Task.sleep(for: .seconds(3))
        let idle = try #require(try await lte(in: site))
        #expect(idle.probeBytesBudget == 5_000_000)
        #expect((72...360).contains(idle.probeBytesUsed ?? 0), "\(idle.probeBytesUsed ?? -1)")
        #expect((idle.probeIntervalMilliseconds ?? 0) >= 5000)
        let text = try await site.output(in: .router, [site.programs.daemon, "uplinks"])
        #expect(text.contains("probes took 0 of 5 MB this month, one every "))

        try await site.cutSilently(.a)
        let cut = try await site.cutSilently(.b)
        try await site.waitUntil(within: .seconds(10), "the third uplink carries") {
            try await lte(in: site)?.isCarrying == true
        }
        #expect(SystemClock().now() - cut < .seconds(6))

        let spent = try #require(try await lte(in: site)?.probeBytesUsed)
        try await site.stopDaemon()
        try await site.startDaemon()
        try await site.waitUntil(within: .seconds(20), "it counts on") {
            guard let lte = try? await lte(in: site) else { return false }
            return (lte.probeBytesUsed ?? 0) >= spent
        }
        try await site.stopDaemon()
    }
}
