import Base
import Console
import Linux
import Testing

@testable import Site

/// What the daemon tells of those who try, in a whole site.
@Suite(
    "Security events", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(2)))
struct SecurityEventTests {
    @Test(
        "behaviour 2.10, 3.5: a flood has a begin, an end and a sender; a program that asks for other names a user"
    )
    func told() async throws {
        try await Site.with { try await told(in: $0) }
    }

    private func told(in site: Site) async throws {
        try await site.startDaemon(
            config: try Site.shippedConfiguration().replacing("\ndrops = 200", with: "\ndrops = 50")
        )
        try await until(site, "a look at the house") { $0.firewall.signs != nil }

        let asked = try await site.run(
            in: .router,
            [
                "setpriv", "--reuid=65534", "--clear-groups", "getent", "ahostsv4", "ads.example",
            ])
        #expect(!asked.exit.isSuccess)
        let askers = try await until(site, "who asked") { !($0.egress.askers ?? []).isEmpty }
            .egress.askers
        #expect(askers?.first?.uid == 65_534)
        #expect(askers?.first?.program == "getent")
        #expect(askers?.first?.lastName == "ads.example")

        async let flood = site.run(
            in: .office, ["ping", "-n", "-q", "-c", "2000", "-i", "0.002", "-W", "1", "10.1.0.2"],
            timeout: .seconds(30))
        let attacked = try await until(site, "the sign of an attack") {
            $0.firewall.signs?.contains { $0.zone == "wan" && $0.measure == "drops" } ?? false
        }
        #expect(attacked.problems.contains { $0.hasPrefix("sign of an attack for") })
        #expect(attacked.state == .degraded)
        #expect(
            attacked.firewall.refused?.contains {
                $0.from == "10.1.0.66" && $0.to == "10.1.0.2" && $0.service == "icmp type 8"
            } ?? false)
        _ = try await flood
        try await until(site, "its end") { $0.firewall.signs == [] }
        // The look after that writes it.
        let daemon = site.programs.daemon
        try await site.waitUntil(within: .seconds(5), "the event of its end") {
            try await site.output(in: .router, [daemon, "events"])
                .contains("sign of an attack is over after")
        }
        let events = try await site.output(in: .router, [daemon, "events"])
        #expect(events.contains("packets a second dropped from WAN (limit 50); lately 10.1.0.66"))
        #expect(events.contains("getent of nobody (uid 65534): "), "\(events)")
    }

    @discardableResult
    private func until(
        _ site: Site, _ what: String, _ condition: (StatusDocument) -> Bool
    ) async throws -> StatusDocument {
        var last: StatusDocument?
        try await site.waitUntil(within: .seconds(40), what) {
            guard let text = try? await site.status() else { return false }
            let document = try ConsoleJSON.decode(StatusDocument.self, from: Array(text.utf8))
            last = document
            return condition(document)
        }
        return try #require(last)
    }
}
