import Base
import Console
import Linux
import Testing

@testable import Site

/// Behaviour 4.12, with the daemon as it is shipped, on networks that pass no pings.
@Suite(
    "Probes that are no pings", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(2)))
struct ProbeTargetTests {
    @Test(
        "behaviour 4.12: where pings are dropped, TCP and DNS tell that an uplink carries, and that it does not"
    )
    func noPings() async throws {
        try await Site.with { site in try await noPings(in: site) }
    }

    private func uplink(_ name: String, in site: Site) async -> StatusDocument.Uplink? {
        try? await Seen(json: site.status()).status.uplinks.first { $0.name == name }
    }

    private func noPings(in site: Site) async throws {
        for isp in ISP.allCases {
            for target in ["1.1.1.1", "9.9.9.9"] {
                try await site.silenceTarget(try #require(IPv4Address(target)), over: isp)
            }
        }
        let config = try Site.shippedConfiguration().replacing(
            "\ntargets = [\"1.1.1.1\", \"9.9.9.9\"]",
            with: "\ntargets = [\"tcp://1.1.1.1:443\", \"dns://9.9.9.9\"]")
        try await site.startDaemon(config: config)
        try await site.waitUntil(within: .seconds(20), "all uplinks are up") {
            guard let seen = try? await Seen(json: site.status()) else { return false }
            return seen.status.uplinks.count == 3 && seen.status.uplinks.allSatisfy(\.isUp)
        }
        try await Task.sleep(for: .seconds(4))
        let office = try #require(await uplink("office", in: site))
        #expect(office.isUp && office.isCarrying)
        #expect(office.lossPercent == 0)
        #expect(office.silentTargets == [])
        #expect(office.targets == ["tcp://1.1.1.1:443", "dns://9.9.9.9"])
        // The firewall lets out these two, and only on their ports.
        let status = try await Seen(json: site.status()).status
        let dropped = (status.firewall.refused ?? []).filter { $0.counter == "egress" }
        #expect(!dropped.contains { ["1.1.1.1", "9.9.9.9"].contains($0.to) }, "\(dropped)")

        let cut = try await site.cutSilently(.a)
        try await site.waitUntil(within: .seconds(10), "the second uplink carries") {
            await uplink("wifi", in: site)?.isCarrying == true
        }
        #expect(SystemClock().now() - cut < .seconds(5))
        try await site.restore(.a)
        for target in ["1.1.1.1", "9.9.9.9"] {
            try await site.silenceTarget(try #require(IPv4Address(target)), over: .a)
        }
        try await site.waitUntil(within: .seconds(20), "the first uplink carries again") {
            await uplink("office", in: site)?.isCarrying == true
        }
        try await site.stopDaemon()
    }
}
