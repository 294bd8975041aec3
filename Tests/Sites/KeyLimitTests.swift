import Base
import Console
import Linux
import Testing

@testable import Site

/// `[switch] limit`: a turn of the key is good for a time (`docs/behaviour.md` §12.1).
@Suite(
    "The key's time limit", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(2)))
struct KeyLimitTests {
    @Test("behaviour 12.1: a turn is good for the limit; then the gate is shut until the next one")
    func limit() async throws {
        try await Site.with { try await limit(in: $0) }
    }

    private func limit(in site: Site) async throws {
        let story = Story(site: site)
        // The key is on already: that is no turn.
        try await site.startDaemon(
            config: try Site.shippedConfiguration().replacing(
                "#limit = \"2h\"", with: "limit = \"10s\""))
        let begun = try await story.waitUntil("the key is read") {
            $0.status.keySwitch?.isTimeUp ?? false
        }
        #expect(!begun.isGateOpen)
        #expect(begun.status.keySwitch?.reason.contains("there was none since the start") ?? false)

        try await site.turnSwitch(.off)
        try await Task.sleep(for: .milliseconds(300))
        let turned = try await site.turnSwitch(.on)
        try await story.waitUntil("remote access") { $0.isTunnelConnected && $0.isGateOpen }
        #expect(try await site.readMachine(from: .remote) > 0)
        let open = try await site.output(in: .router, [site.programs.daemon, "status"])
        #expect(open.contains("on, remote access allowed, ends at "), "\(open)")
        let key = try await site.output(in: .router, [site.programs.daemon, "switch"])
        #expect(key.contains("Limit      remote access ends at "), "\(key)")

        let over = try await story.waitUntil("its time is up") { !$0.isGateOpen }
        let lasted = SystemClock().now() - turned
        #expect(lasted > .seconds(10) && lasted < .seconds(12))
        try await story.waitUntil("the VPN ends") { $0.isTunnelStopped }
        #expect((try? await site.readMachine(from: .remote)) == nil)
        #expect(over.isCloudConnected && over.status.problems == [])
        try await site.waitUntil(within: .seconds(5), "its end in the event log") {
            let events = try await site.output(in: .router, [site.programs.daemon, "events"])
            return events.contains("remote access ends at") && events.contains("its time is up")
        }
        // A glitch is no turn; a turn is.
        try await site.commandGPIO("bounce vpn-switch 6 500")
        try await Task.sleep(for: .milliseconds(300))
        #expect(try await !story.look().isGateOpen)
        try await site.turnSwitch(.off)
        try await Task.sleep(for: .milliseconds(300))
        try await site.turnSwitch(.on)
        try await story.waitUntil("remote access again") { $0.isGateOpen && $0.isTunnelConnected }
    }
}
