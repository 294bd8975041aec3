import Base
import Console
import Linux
import Testing

@testable import Site

/// `[switch] lamp` (`docs/behaviour.md` §12.3).
@Suite(
    "The session lamp", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(2)))
struct SessionLampTests {
    /// The wire's level and who drives it, by the simulated chip.
    private func lamp(_ site: Site) throws -> (isHigh: Bool, isDriven: Bool) {
        let state = try SmallFile.readText(site.directory.gpio + "/state")
        let line = state.split(separator: "\n").first { $0.contains("name=vpn-lamp") } ?? ""
        return (line.contains("level=1"), line.contains("output consumer=drawbridge-lamp"))
    }

    @Test("behaviour 12.3: lit while a session is open; its faults never touch the switch")
    func lamp() async throws {
        try await Site.with { try await follow(in: $0) }
    }

    private func follow(in site: Site) async throws {
        let story = Story(site: site)
        try await site.commandGPIO("busy vpn-lamp hog")
        try await site.startDaemon(
            config: try Site.shippedConfiguration().replacing(
                "#lamp = \"vpn-lamp\"", with: "lamp = \"vpn-lamp\""))
        // Somebody else holds the lamp's line: said, and the key works all the same.
        try await story.waitUntil("a session without a lamp") {
            $0.isTunnelConnected && $0.isGateOpen
                && $0.status.problems.contains {
                    $0 == "session lamp: line \"vpn-lamp\" of /dev/gpiochip0 is held by \"hog\""
                }
        }
        try await site.commandGPIO("free vpn-lamp")
        try await site.waitUntil(within: .seconds(5), "the lamp is lit") {
            let seen = try lamp(site)
            return seen.isHigh && seen.isDriven
        }
        try await story.waitUntil("the lamp works") {
            $0.status.keySwitch?.lamp == "on" && $0.status.problems == []
        }

        // Off with the key, not with OpenVPN's end.
        let turned = try await site.turnSwitch(.off)
        try await site.waitUntil(within: .seconds(5), "the lamp is out", every: .milliseconds(5)) {
            try !lamp(site).isHigh
        }
        #expect(SystemClock().now() - turned < .milliseconds(500))
        try await site.turnSwitch(.on)
        try await site.waitUntil(within: .seconds(10), "the lamp is lit again") {
            try lamp(site).isHigh
        }

        // A level that cannot be set: the line is requested anew, and the key has not noticed.
        let changes = try await story.look().status.keySwitch?.changes
        try await site.commandGPIO("fail setvalues 5 1")
        try await Task.sleep(for: .milliseconds(2500))
        #expect(try lamp(site).isHigh)
        #expect(try await story.look().status.keySwitch?.changes == changes)

        // At the end it goes out; the line is given back.
        _ = try await site.stopDaemon()
        #expect(try lamp(site) == (isHigh: false, isDriven: false))

        // A daemon that is killed gives it back, too; the wire is then the driver's affair, until the next start.
        try await site.startDaemon()
        try await site.waitUntil(within: .seconds(10), "the lamp is lit at last") {
            try lamp(site).isHigh
        }
        try await site.turnSwitch(.off)
        try await site.killDaemon()
        try await site.waitUntil(within: .seconds(2), "its line is free") {
            try !lamp(site).isDriven
        }
        try await site.startDaemon()
        try await site.waitUntil(within: .seconds(5), "the next one puts it out") {
            let seen = try lamp(site)
            return !seen.isHigh && seen.isDriven
        }
    }
}
