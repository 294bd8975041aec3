import Base
import Console
import Linux
import Testing

@testable import Site

/// Behaviour 4.13, with the daemon as it is shipped.
@Suite(
    "Login pages", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(2)))
struct LoginPageTests {
    @Test(
        "behaviour 4.13: a guest network that answers pings but wants a login is left, and used again once somebody has logged in"
    )
    func portals() async throws {
        try await Site.with { site in try await portals(in: site) }
    }

    private func uplinks(_ site: Site) async -> [StatusDocument.Uplink] {
        (try? await Seen(json: site.status()).status.uplinks) ?? []
    }

    private func portals(in site: Site) async throws {
        try await site.answerChecks()
        try await site.wantLogin(.a)
        try await site.lieAboutNames(.b)
        let config = try Site.shippedConfiguration().replacing(
            "\ncaptive-check = \"off\"",
            with: "\ncaptive-check = \"http://connectivity.example/generate_204\"")
        try await site.startDaemon(config: config)
        try await site.waitUntil(within: .seconds(20), "the one that wants no login carries") {
            let seen = await uplinks(site)
            return seen.count == 3 && seen.allSatisfy(\.isUp) && seen[2].isCarrying
                && seen[0].login != nil && seen[1].login != nil
        }
        let seen = await uplinks(site)
        let office = try #require(seen[0].login)
        #expect(office.contains("wants a login at login.hotel.example"), "\(office)")
        let wifi = try #require(seen[1].login)
        #expect(wifi.contains("connectivity.example is 10.2.0.1"), "\(wifi)")
        #expect(seen[2].login == nil)
        // Its bytes count, where they do.
        #expect((seen[2].probeBytesUsed ?? 0) > 500)
        try await site.waitUntil(within: .seconds(20), "the cloud is reached over it") {
            (try? await Seen(json: site.status()).isCloudConnected) == true
        }
        let status = try await Seen(json: site.status()).status
        #expect(status.problems.contains { $0.hasPrefix("uplink office wants a login at ") })
        // The firewall lets the check out, and nothing more is needed.
        let dropped = (status.firewall.refused ?? []).filter {
            $0.counter == "egress" && $0.service == "tcp/80"
        }
        #expect(dropped.isEmpty, "\(dropped)")
        let text = try await site.run(in: .router, [site.programs.daemon, "uplinks"])
        #expect(text.output.contains("wants a login at login.hotel.example"), "\(text.output)")

        try await site.logIn(.a)
        try await site.waitUntil(within: .seconds(25), "the first uplink carries again") {
            let seen = await uplinks(site)
            return seen.first?.isCarrying == true && seen.first?.login == nil
        }
        // Nothing is left when the others go, but the one that wants a login still.
        try await site.pullCable(.a)
        try await site.pullCable(.c)
        try await site.waitUntil(within: .seconds(10), "the last one carries") {
            let seen = await uplinks(site)
            return seen.count == 3 && seen[1].isCarrying && seen[1].login != nil
        }
        let events = try await site.run(in: .router, [site.programs.daemon, "events"])
        #expect(events.output.contains("office wants a login at"), "\(events.output)")
        #expect(events.output.contains("office wants no login any more"), "\(events.output)")
        try await site.stopDaemon()
    }
}
