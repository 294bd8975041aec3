import Base
import Console
import Linux
import Testing

@testable import Site

/// Behaviour 4.14, with the daemon as it is shipped.
@Suite(
    "Drills", .enabled(if: Programs.obstacles().isEmpty), .serialized, .timeLimit(.minutes(2)))
struct DrillTests {
    @Test("behaviour 4.14: a standby that answers pings but no names is found, and nothing moves")
    func deadNames() async throws {
        try await Site.with { site in try await deadNames(in: site) }
    }

    private func drill(
        _ site: Site, _ arguments: [String] = []
    ) async throws -> (DrillReport, Command.Result) {
        let result = try await site.run(
            in: .router, [site.programs.daemon, "uplinks", "drill", "--json"] + arguments,
            timeout: .seconds(60))
        let report = try ConsoleJSON.decode(DrillReport.self, from: Array(result.output.utf8))
        return (report, result)
    }

    private func deadNames(in site: Site) async throws {
        try await site.startDaemon(
            config: try Site.shippedConfiguration().replacing(
                "size = \"8GB\"", with: "size = \"8MB\""))
        try await site.waitUntil(within: .seconds(20), "all uplinks are up, and the cloud there") {
            guard let seen = try? await Seen(json: site.status()) else { return false }
            return seen.status.uplinks.count == 3 && seen.status.uplinks.allSatisfy(\.isUp)
                && seen.isCloudConnected
        }
        let route = try await site.output(in: .router, ["ip", "route", "show", "default"])
        let (healthy, result) = try await drill(site)
        #expect(result.exit == .status(0), "\(healthy.text())")
        #expect(healthy.words == "wifi ok, lte ok", "\(healthy.text())")
        #expect(healthy.uplinks.allSatisfy { $0.steps.last?.text.contains("accepts") == true })

        try await site.output(in: .ispC, ["nft", "add rule ip isp faults udp dport 53 drop"])
        let (report, failed) = try await drill(site)
        #expect(failed.exit == .status(1))
        #expect(report.words == "wifi ok, lte failed at dns", "\(report.text())")
        let lte = try #require(report.uplinks.last)
        #expect(lte.steps.first { $0.name == "ping" }?.outcome == .ok)
        #expect(lte.failure?.text.contains("9.9.9.9 (udp/53)") == true)

        let status = try await Seen(json: site.status()).status
        #expect(status.drill?.words == report.words)
        #expect(status.problems.contains { $0.contains("lte failed at dns") })
        #expect(status.uplinks[2].isUp && (status.uplinks[2].probeBytesUsed ?? 0) > 20_000)
        // Nothing has moved, and nobody has hung up.
        #expect(status.uplinks[0].isCarrying && status.uplinkSwitches == 0)
        #expect(try await site.output(in: .router, ["ip", "route", "show", "default"]) == route)
        let log = try SmallFile.readText(site.directory.log("daemon"), bytesMax: 1 << 20)
        #expect(log.split(separator: "\n").count { $0.contains("cloud connected") } == 1)
        #expect(!log.contains("cloud session ended"))
        #expect(log.contains("lte failed at dns"))

        let (one, _) = try await drill(site, ["wifi"])
        #expect(one.words == "wifi ok")
        let unknown = try await site.run(
            in: .router, [site.programs.daemon, "uplinks", "drill", "fax"])
        #expect(unknown.exit == .status(1))
        #expect(unknown.error.contains("there are office, wifi, lte"), "\(unknown.error)")
        let text = try await site.run(in: .router, [site.programs.daemon, "uplinks"])
        #expect(text.output.contains("last drill"), "\(text.output)")
        try await whileItSwitches(site)
        try await site.stopDaemon()
    }

    /// The third uplink's names are dead, so a drill takes seconds: time enough for a switch.
    private func whileItSwitches(_ site: Site) async throws {
        async let running = drill(site)
        try await Task.sleep(for: .milliseconds(700))
        try await site.pullCable(.a)
        let (report, result) = try await running
        #expect(result.exit == .status(1))
        #expect(report.aborted?.contains("another uplink carries") == true, "\(report.text())")
        let status = try await Seen(json: site.status()).status
        #expect(status.drill?.words == "wifi ok")
        #expect(status.uplinks[1].isCarrying)
    }
}
