import Base
import Console
import Linux
import Testing

@testable import Site

/// `[switch] disables = "wan"`: the key takes the router off the network (`docs/behaviour.md` §2.11).
@Suite(
    "The key cuts the uplinks", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(2)))
struct KeyCutsUplinksTests {
    /// What the router has sent to its providers since it was asked last, in packets.
    private func sentToProviders(_ site: Site) async throws -> UInt64 {
        var sum: UInt64 = 0
        for isp in ISP.allCases {
            let text = try await site.output(
                in: isp.place, ["nft", "reset", "counters", "table", "inet", "seen"])
            let words = text.split(whereSeparator: \.isWhitespace)
            let number = words.firstIndex(of: "packets").map { words[$0 + 1] }
            sum += number.flatMap { UInt64($0) } ?? 0
        }
        return sum
    }

    private func count(_ site: Site) async throws {
        for isp in ISP.allCases {
            try await site.output(
                in: isp.place, ["nft", "-f", "-"],
                input: """
                    table inet seen {
                        counter router { }
                        chain tally {
                            type filter hook prerouting priority -300;
                            iifname "router" meta nfproto ipv4 counter name router
                        }
                    }
                    """)
        }
    }

    @Test(
        "behaviour 2.11: off, not a packet leaves and status says why; on, everything comes back")
    func cutsAndReturns() async throws {
        try await Site.with { try await cutsAndReturns(in: $0) }
    }

    private func cutsAndReturns(in site: Site) async throws {
        let story = Story(site: site)
        try await count(site)
        try await site.startDaemon(
            config: try Site.shippedConfiguration().replacing(
                "disables = \"vpn\"", with: "disables = \"wan\""))
        try await story.waitUntil("everything works") {
            $0.isCloudConnected && $0.isTunnelConnected && $0.isGateOpen && $0.lastSequence > 20
        }
        #expect(try await sentToProviders(site) > 0)

        try await site.turnSwitch(.off)
        let cut = try await story.waitUntil("the uplinks are cut") {
            $0.status.isCutByKey && !$0.isCloudConnected && $0.isTunnelStopped
        }
        try await Task.sleep(for: .milliseconds(200))
        _ = try await sentToProviders(site)
        try await Task.sleep(for: .seconds(3))
        #expect(try await sentToProviders(site) == 0)
        let resting = try await story.look()
        #expect(resting.lastSequence > cut.lastSequence, "machines are read on")
        #expect(resting.status.problems == [] && resting.status.state == .ok)
        #expect(resting.status.cloud.reason == "the key has cut all uplinks")
        #expect(resting.status.uplinks.allSatisfy { !$0.isUp && $0.reason.contains("by the key") })
        #expect(!resting.isGateOpen)
        let drill = try await site.run(in: .router, [site.programs.daemon, "uplinks", "drill"])
        #expect(drill.exit == .status(1) && drill.error.contains("the key has cut the uplinks"))
        #expect(try await story.look().status.drill == nil)
        let dropped = resting.status.firewall.counters.first { $0.name == "uplinks_cut" }?.packets
        let text = try await site.output(in: .router, [site.programs.daemon, "status"])
        #expect(text.contains("Switch    off, all uplinks cut"), "\(text)")
        // Keep-alives are off: nothing even tries but what other programs want.
        let later = try await story.look().status.firewall.counters
            .first { $0.name == "uplinks_cut" }?.packets
        #expect((later ?? 0) - (dropped ?? 0) < 3)

        try await site.turnSwitch(.on)
        try await story.waitUntil("everything works again, and the backlog is sent") {
            $0.isCloudConnected && $0.isTunnelConnected && $0.isGateOpen && $0.unsent < 20
                && $0.lost == 0 && $0.status.problems.isEmpty
        }
        try await site.waitUntil(within: .seconds(5), "both turns in the event log") {
            let events = try await site.output(in: .router, [site.programs.daemon, "events"])
            return events.contains("turned off: all uplinks are cut")
                && events.contains("turned on: the uplinks are open")
        }

        // A dead daemon holds nothing open.
        try await site.killDaemon()
        try await Task.sleep(for: .milliseconds(700))
        _ = try await sentToProviders(site)
        let escaped = try await site.ping(from: .router, to: "1.1.1.1")
        #expect(!escaped)
        #expect(try await sentToProviders(site) == 0)
    }

    @Test("behaviour 12.2: off, online, remote: cut off, in the cloud, and open to a technician")
    func threePositions() async throws {
        var options = SiteOptions()
        options.keySwitch = .off
        try await Site.with(options) { try await threePositions(in: $0) }
    }

    private func threePositions(in site: Site) async throws {
        let story = Story(site: site)
        try await site.commandGPIO("line vpn-remote 1")
        try await site.startDaemon(
            config: try Site.shippedConfiguration()
                .replacing("disables = \"vpn\"", with: "disables = \"wan\"")
                .replacing("#remote-line = ", with: "remote-line = "))
        try await story.waitUntil("off") { $0.status.isCutByKey }

        try await site.turnSwitch(.on)
        // The uplinks are judged anew, one after the other.
        try await story.waitUntil("online, without remote access") {
            $0.isCloudConnected && $0.status.keySwitch?.position == .online
                && $0.status.problems.isEmpty
        }
        let online = try await story.look()
        #expect(!online.isGateOpen && online.isTunnelStopped)
        let text = try await site.output(in: .router, [site.programs.daemon, "switch"])
        #expect(text.contains("online, uplinks open, remote access closed, for"), "\(text)")
        #expect(text.contains("/dev/gpiochip0 read low and high"), "\(text)")

        // As a cam switch does it: break before make.
        try await site.turnSwitch(.off)
        try await site.commandGPIO("line vpn-remote 0")
        try await story.waitUntil("remote access") {
            $0.isCloudConnected && $0.isTunnelConnected && $0.isGateOpen
        }
        #expect(try await site.readMachine(from: .remote) > 0)

        // A short circuit between the wires.
        try await site.turnSwitch(.on)
        try await story.waitUntil("both contacts closed: everything shut, and said") {
            !$0.isGateOpen && $0.status.keySwitch?.areUplinksOpen == false
                && $0.status.problems.contains { $0.contains("look for a short circuit") }
        }
        try await site.turnSwitch(.off)
        try await site.commandGPIO("line vpn-remote 1")
        try await story.waitUntil("off again") { $0.status.isCutByKey && $0.status.problems == [] }
    }

    @Test("behaviour 2.11: with the key off, nothing leaves while the daemon starts, either")
    func startsCut() async throws {
        var options = SiteOptions()
        options.keySwitch = .off
        try await Site.with(options) { try await startsCut(in: $0) }
    }

    private func startsCut(in site: Site) async throws {
        try await count(site)
        _ = try await sentToProviders(site)
        try await site.startDaemon(
            config: try Site.shippedConfiguration().replacing(
                "disables = \"vpn\"", with: "disables = \"wan\""))
        try await Task.sleep(for: .seconds(2))
        let state = try await Story(site: site).look()
        #expect(state.status.isCutByKey && state.status.state == .ok)
        #expect(try await sentToProviders(site) == 0)
    }
}
