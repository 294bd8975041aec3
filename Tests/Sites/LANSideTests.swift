import Base
import Console
import Testing

@testable import Site

/// Behaviour 4.9, with the daemon as it is shipped.
@Suite(
    "The LAN side", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(2)))
struct LANSideTests {
    @Test("behaviour 4.9: a machine that is gone, and a cable that is out, are told apart")
    func gone() async throws {
        try await Site.with { site in try await gone(in: site) }
    }

    private func gone(in site: Site) async throws {
        try await site.startDaemon(config: try Site.shippedConfiguration())
        func problems(say words: String, _ limit: Duration = .seconds(40)) async throws {
            try await site.waitUntil(within: limit, words, every: .milliseconds(500)) {
                guard let seen = try? await Seen(json: site.status()) else { return false }
                return seen.status.problems.contains { $0.contains(words) }
            }
        }
        try await site.waitUntil(within: .seconds(40), "the machine is there") {
            guard let seen = try? await Seen(json: site.status()) else { return false }
            return seen.status.lan?.machines.first?.isThere == true
                && seen.status.lan?.ports.map(\.name) == ["lan0"]
        }
        try await site.output(in: .plc, ["ip", "link", "set", "eth0", "arp", "off"])
        try await problems(say: "LAN: nothing answers at 192.168.140.10 (plc-1) since")
        try await site.output(in: .plc, ["ip", "link", "set", "eth0", "arp", "on"])
        try await site.output(in: .plc, ["ip", "link", "set", "eth0", "down"])
        try await problems(say: "LAN: no cable in lan0 since")
        let events = try await site.output(
            in: .router, [site.programs.daemon, "events"])
        #expect(events.contains("is not on the LAN: nothing answers at 192.168.140.10"))
        try await site.stopDaemon()
    }
}
