import Base
import Console
import Glibc
import Linux
import Testing

@testable import Site

/// A config file in the hands of people: mistakes change nothing, and a change touches what it must.
@Suite(
    "A config file's life", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(3)))
struct ConfigLifeTests {
    private static let file = "/etc/drawbridge/drawbridge.toml"
    private static let fixtures = Programs.sourceRoot + "/Tests/Settings/Fixtures"
    private static let fixtureNames = [
        "addresses", "allow-list", "broken-header", "duplicates", "empty", "keepalive", "lists",
        "missing", "nine-uplinks", "not-allowed", "not-text", "overlaps", "paths", "redefined",
        "slips", "syntax", "tags", "unclosed-list", "unclosed-text", "unknown-keys", "utf-16",
        "values",
    ]
    /// One slip each in the shipped example: what is written, by what, and the word in the refusal.
    private static let slips = [
        ("interface = \"eth0\"", "interface = eth0", "eth0"),
        ("[lan]", "[lan", "]"),
        ("size = \"8GB\"", "size = \"8TBB\"", "recorder.size"),
        ("unit = 1", "unit = 256", "machine[0].unit"),
        ("when = \"high\"", "when = \"hihg\"", "switch.when"),
        ("debounce = \"50ms\"", "debonce = \"50ms\"", "debounce"),
        ("modbus = \"tcp://192.168.140.10:502\"", "modbus = \"tcp://10.9.9.9:502\"", "modbus"),
        ("remote = \"vpn.ixon.net:1194/udp\"", "remote = \"vpn.example.com:1194/udp\"", "vpn"),
    ]

    @Test("30 broken files: each refused with its places, and not a packet of the VPN lost")
    func brokenFiles() async throws {
        try await Site.with { try await brokenFiles(in: $0) }
    }

    private func brokenFiles(in site: Site) async throws {
        let flow = try await runningSite(site)
        let good = try Site.shippedConfiguration()
        let before = try await document(site)

        for name in Self.fixtureNames {
            let broken = try SmallFile.read("\(Self.fixtures)/\(name).toml")
            let places = try SmallFile.readText("\(Self.fixtures)/\(name).errors")
                .replacing("\(name).toml", with: Self.file)
                .split(separator: "\n").map(String.init)
            try SmallFile.replace(site.directory.configurationFile, with: broken, mode: 0o644)
            try await waitUntilRefused(site, name) { $0 == places }
        }
        for (right, wrong, word) in Self.slips {
            let broken = good.replacing(right, with: wrong, maxReplacements: 1)
            #expect(broken != good, "\(right)")
            let line = try #require(
                zip(good.split(separator: "\n", omittingEmptySubsequences: false), 1...)
                    .first { $0.0.contains(right) }?.1)
            try site.directory.write(broken, to: site.directory.configurationFile)
            try await waitUntilRefused(site, wrong) { refused in
                refused.contains {
                    $0.hasPrefix("\(Self.file):\(line):") && $0.contains(word)
                }
            }
        }
        let degraded = try await document(site)
        #expect(degraded.problems.contains { $0.hasPrefix("config refused, the one before runs") })

        // Put right again: nothing is built anew, and nothing was.
        try site.directory.write(good, to: site.directory.configurationFile)
        try await waitUntilRefused(site, "nothing") { $0.isEmpty }
        let after = try await document(site)
        #expect(after.configuration.number == before.configuration.number)
        #expect(after.cloud.sinceSeconds >= before.cloud.sinceSeconds)
        try await expectNothingLost(flow)
    }

    @Test("a new tag begins machines and cloud anew, the VPN loses nothing; restore takes it back")
    func newTag() async throws {
        try await Site.with { try await newTag(in: $0) }
    }

    private func newTag(in site: Site) async throws {
        let flow = try await runningSite(site)
        let good = try Site.shippedConfiguration()
        let tag = """
            [[machine.tag]]
            name = "press.again"
            register = "input:2"
            type = "uint32"

            """
        let changed = good.replacing(
            "[[machine.tag]]\n", with: tag + "[[machine.tag]]\n", maxReplacements: 1)
        try site.directory.write(changed, to: site.directory.configurationFile)
        try await site.waitUntil(within: .seconds(15), "the new tag's readings in the cloud") {
            await site.cloud.look { $0.series["plc-1/press.again"]?.arrivals.isEmpty == false }
        }
        let applied = try await document(site)
        #expect(applied.configuration.number == 2)
        #expect(applied.configuration.touched == ["machines", "cloud"])

        let router = site.programs.daemon
        let difference = try await site.output(in: .router, [router, "config", "diff", "1"])
        #expect(difference.contains("+name = \"press.again\""))
        try await site.output(in: .router, [router, "config", "restore", "1"])
        try await site.waitUntil(within: .seconds(15), "the first config again") {
            try await document(site).configuration.number == 3
        }
        let entries = try await site.output(in: .router, [router, "config", "history"])
        #expect(entries.split(separator: "\n").count == 3)
        try await expectNothingLost(flow)
    }

    @Test(
        "behaviour 5.4: a room that cannot begin is begun anew until it can; the page comes and goes"
    )
    func roomThatCannotBegin() async throws {
        try await Site.with { try await roomThatCannotBegin(in: $0) }
    }

    private func roomThatCannotBegin(in site: Site) async throws {
        let flow = try await runningSite(site)
        // Without a trial, which would begin the cloud session anew.
        let good = try Site.shippedConfiguration()
            .replacing("\ntrial = \"1m\"", with: "\ntrial = \"0s\"")
        let before = try await document(site)
        // Somebody else holds the port that the resolver is told to take.
        let squatter = try await site.startBackground(
            in: .router, name: "squatter",
            [
                "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--bind-interfaces",
                "--listen-address=127.0.0.9",
            ])
        try await site.waitUntil(within: .seconds(5), "the port is taken") {
            try await site.output(in: .router, ["ss", "-Hlun"]).contains("127.0.0.9:53")
        }
        let changed = good.replacing(
            "listen = \"127.0.0.1\"", with: "listen = \"127.0.0.9\"", maxReplacements: 1
        ).replacing("#listen = \"192.168.140.1:80\"", with: "listen = \"192.168.140.1:80\"")
            .replacing("\"*.ayayot.com\"]\n", with: "\"*.example.net\"]\n")
        try site.directory.write(changed, to: site.directory.configurationFile)
        try await site.waitUntil(within: .seconds(15), "the resolver is told to have failed") {
            try await document(site).failures?.first?.room == "egress"
        }
        let degraded = try await document(site)
        #expect(degraded.state == .degraded)
        #expect(degraded.problems.contains { $0.hasPrefix("egress: ") && $0.contains("127.0.0.9") })
        #expect(degraded.configuration.touched.contains("page"))
        let page = ["curl", "-s", "-m", "2", "-o", "/dev/null", "http://192.168.140.1/"]
        try await site.waitUntil(within: .seconds(10), "the page is there") {
            try await site.run(in: .plc, page).exit.isSuccess
        }

        await squatter.stop()
        try await site.waitUntil(within: .seconds(30), "the resolver works") {
            try await document(site).failures == nil
        }
        try site.directory.write(good, to: site.directory.configurationFile)
        try await site.waitUntil(within: .seconds(10), "the page is gone") {
            try await !site.run(in: .plc, page).exit.isSuccess
        }
        let after = try await document(site)
        #expect(after.uptimeSeconds >= before.uptimeSeconds)
        #expect(after.cloud.sinceSeconds >= before.cloud.sinceSeconds)
        try await expectNothingLost(flow)

        let events = try await site.output(in: .router, [site.programs.daemon, "events"])
        for words in [
            "config file: number 2 is in force (SHA-256",
            "dns.listen, cloud.domains, page.listen, firewall.trial changed; begun anew:",
            "drawbridge: egress has failed: ",
            "drawbridge: egress works again", "config file: number 3 is in force",
        ] { #expect(events.contains(words), "\(words) in:\n\(events)") }
    }

    // MARK: parts

    /// The router with data to the cloud, the VPN open, and 200 packets a second through it.
    private func runningSite(_ site: Site) async throws -> Flow {
        let story = Story(site: site)
        _ = try await story.dataFlows()
        try await site.turnSwitch(.on)
        try await story.waitUntil("the VPN is open") { $0.isTunnelConnected && $0.isGateOpen }
        let flow = try await site.startFlow(rate: 200)
        try await site.waitUntil(within: .seconds(20), "packets pass to the machine") {
            try flow.report().arrivals.count > 50
        }
        return flow
    }

    private func document(_ site: Site) async throws -> StatusDocument {
        try ConsoleJSON.decode(
            StatusDocument.self, from: Array(try await site.status().utf8))
    }

    private func waitUntilRefused(
        _ site: Site, _ what: String, _ condition: ([String]) -> Bool
    ) async throws {
        let deadline = SystemClock().now() + .seconds(10)
        while true {
            let refused = try await document(site).configuration.refused
            if condition(refused) { return }
            try #require(SystemClock().now() < deadline, "\(what): \(refused)")
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func expectNothingLost(_ flow: Flow) async throws {
        let numbers = try await flow.stop().arrivals.map(\.number)
        let first = try #require(numbers.min())
        let last = try #require(numbers.max())
        let missing = Set(first...last).subtracting(numbers).sorted().map { $0 - first }
        #expect(missing == [], "of \(last - first + 1) packets")
        // Half a second of them at least, so that there was a stream to lose from.
        #expect(numbers.count > 100)
    }
}
