import Base
import Console
import Glibc
import Linux
import Testing

@testable import Site

/// Bad input and bad days: a clear error, a closed firewall, or a degraded state; never a stack trace.
@Suite(
    "Bad days", .enabled(if: Programs.obstacles().isEmpty), .serialized, .timeLimit(.minutes(2)))
struct BadDayTests {
    /// Runs the daemon in the router until it ends by itself.
    private func daemon(
        _ site: Site, config: String?, prefix: [String] = []
    ) async throws -> Command.Result {
        if let config {
            try site.directory.write(config, to: site.directory.configurationFile)
        }
        return try await site.run(in: .router, prefix + [site.programs.daemon, "daemon"])
    }

    /// The office host could reach the PLC through the open router, and can't any more.
    private func expectClosed(_ site: Site) async throws {
        try await site.output(
            in: .office, ["ip", "route", "replace", "192.168.140.0/24", "via", "10.1.0.2"])
        let read = try? await site.readMachine(from: .office)
        let answers = try await site.ping(from: .office, to: "10.1.0.2")
        #expect(read == nil)
        #expect(!answers)
    }

    private func expectPlainWords(_ result: Command.Result, _ words: [String]) {
        #expect(result.exit == .status(1), "\(result.error)")
        for word in words { #expect(result.error.contains(word), "\(word) in: \(result.error)") }
        for noise in ["Fatal error", "SystemError(", "Stack dump", " at /"] {
            #expect(!result.error.contains(noise), "\(result.error)")
        }
    }

    /// A config file that cannot be used, and what the complaint must say.
    struct Unusable: Sendable, CustomTestStringConvertible {
        /// nil: there is no file.
        var config: String?
        var words: [String]
        var testDescription: String { config ?? "no file" }
    }

    @Test(
        "an unusable config: every error with its place, exit 1, and the firewall closes",
        arguments: [
            Unusable(config: nil, words: ["/etc/drawbridge/drawbridge.toml", "No such file"]),
            Unusable(config: "", words: ["drawbridge.toml", "says nothing"]),
            Unusable(
                config: "[device]\nname = 7\n", words: ["drawbridge.toml:2:8", "device.name"]),
        ])
    func unusableConfig(_ unusable: Unusable) async throws {
        try await Site.with { site in
            // Open before: the test could see it.
            try await site.output(
                in: .office, ["ip", "route", "replace", "192.168.140.0/24", "via", "10.1.0.2"])
            let wasOpen = try await site.ping(from: .office, to: "10.1.0.2")
            #expect(wasOpen)
            let result = try await daemon(site, config: unusable.config)
            expectPlainWords(result, unusable.words + ["firewall is closed"])
            try await expectClosed(site)
        }
    }

    @Test("a state directory that cannot be made: said so, and the firewall closes")
    func unusableStateDirectory() async throws {
        try await Site.with { site in
            let config = try Site.shippedConfiguration()
                .replacing("state = \"/var/lib/drawbridge\"", with: "state = \"/proc/nowhere\"")
            let result = try await daemon(site, config: config)
            expectPlainWords(result, ["/proc/nowhere", "firewall is closed"])
            try await expectClosed(site)
        }
    }

    @Test(
        "a port that somebody else holds at the start: said in words, closed, and taken once it is free"
    )
    func resolverPortTaken() async throws {
        try await Site.with { try await resolverPortTaken(in: $0) }
    }

    private func resolverPortTaken(in site: Site) async throws {
        let blocker = try await site.startBackground(
            in: .router, name: "blocker",
            [
                "/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null",
                "--bind-interfaces", "--listen-address=127.0.0.1", "--pid-file=",
            ])
        try await site.waitUntil(within: .seconds(5), "the port is taken") {
            try await site.output(in: .router, ["ss", "-Hlun"]).contains("127.0.0.1:53")
        }
        try await site.startDaemon(config: Site.shippedConfiguration())
        try await site.waitUntil(within: .seconds(15), "the resolver is told to have failed") {
            guard let status = try? await Seen(json: site.status()).status else { return false }
            return status.failures?.first?.room == "egress"
        }
        let status = try await Seen(json: site.status()).status
        #expect(status.state == .degraded)
        let words = status.problems.first { $0.hasPrefix("egress: ") } ?? "no word"
        #expect(words.contains("127.0.0.1 udp/53") && words.contains("Address already in use"))
        try await expectClosed(site)
        await blocker.stop()
        try await site.waitUntil(within: .seconds(30), "the resolver works") {
            try await Seen(json: site.status()).status.failures == nil
        }
        try await site.stopDaemon()
    }

    @Test("a config that breaks while the last good rules stand: they stay")
    func lastGoodRulesStay() async throws {
        try await Site.with { site in
            let story = Story(site: site)
            _ = try await story.dataFlows()
            try await site.killDaemon()
            let rules = try await site.output(
                in: .router, ["nft", "list", "chain", "inet", "drawbridge", "output"])
            let result = try await daemon(site, config: "[device]\nname = 7\n")
            expectPlainWords(result, ["last good rules stay"])
            let after = try await site.output(
                in: .router, ["nft", "list", "chain", "inet", "drawbridge", "output"])
            func shape(_ text: String) -> [Substring] {
                text.split(separator: "\n").filter { !$0.contains("counter") }
            }
            #expect(shape(rules) == shape(after))
            try await expectClosed(site)
        }
    }

    @Test("two daemons on one state directory: the second one says who holds it")
    func twoDaemons() async throws {
        try await Site.with { site in
            try await site.startDaemon(config: Site.shippedConfiguration())
            let story = Story(site: site)
            try await story.waitUntil("the first one is up") { $0.isReady }
            let second = try await daemon(site, config: nil)
            expectPlainWords(second, ["already running", "/var/lib/drawbridge/lock"])
            let first = try await story.look()
            #expect(first.isReady)
        }
    }

    @Test("no permission for netlink: says which, and what to do")
    func noPermission() async throws {
        try await Site.with { site in
            let result = try await daemon(
                site, config: Site.shippedConfiguration(),
                prefix: [
                    "setpriv", "--bounding-set=-net_admin,-net_raw",
                    "--inh-caps=-net_admin,-net_raw",
                ])
            expectPlainWords(result, ["Operation not permitted", "CAP_NET_ADMIN"])
        }
    }

    @Test("a missing interface: the others work, and status names it")
    func missingInterface() async throws {
        try await Site.with { site in
            let config = try Site.shippedConfiguration().replacing("\"eth0\"", with: "\"eth9\"")
            try await site.startDaemon(config: config)
            let story = Story(site: site)
            let seen = try await story.waitUntil("the first fallback carries the cloud") {
                $0.isCloudConnected && $0.carrying == "wifi"
            }
            #expect(seen.status.state == .degraded)
            #expect(
                seen.status.problems.contains { $0.contains("eth9") }, "\(seen.status.problems)")
        }
    }

    @Test("a broker that refuses the certificate: status says so, records wait, the rest works")
    func refusedCertificate() async throws {
        try await Site.with { site in
            for name in ["pem", "key"] {
                let stranger = try SmallFile.read(site.directory.certificates + "/stranger.\(name)")
                try SmallFile.replace(site.directory.devicePKI + "/device.\(name)", with: stranger)
            }
            try await site.startDaemon(config: Site.shippedConfiguration())
            let seen = try await Story(site: site).waitUntil("the refusal is told") {
                $0.unsent > 5 && $0.status.cloud.reason.contains("certificate")
            }
            #expect(seen.status.state == .degraded)
            #expect(seen.lost == 0)
        }
    }

    @Test(
        "a full disk: degraded and told, nothing crashes, and recording resumes when there is room")
    func fullDisk() async throws {
        try await Site.with { site in
            // A file system of 1 MiB under the ring, filled to the last byte.
            let ring = "/var/lib/drawbridge/recorder"
            func inHolder(_ arguments: [String]) async throws -> Command.Result {
                try await Command.run(site.holder.entering(nil, arguments))
            }
            _ = try await inHolder(["mkdir", "-p", ring])
            let mounted = try await inHolder([
                "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", ring,
            ])
            #expect(mounted.exit.isSuccess)
            _ = try await inHolder(["dd", "if=/dev/zero", "of=\(ring)/full", "bs=4k"])
            try await site.startDaemon(config: Site.shippedConfiguration())
            let story = Story(site: site)
            let full = try await story.waitUntil("the full disk is told") {
                $0.status.recorder.state.contains("disk full") && $0.lost > 0 && $0.carrying != nil
            }
            #expect(full.status.state == .degraded)
            _ = try await inHolder(["rm", "\(ring)/full"])
            try await story.waitUntil("recording goes on") {
                $0.status.recorder.isRecording && $0.lastSequence > 10
            }
            try await site.waitUntil(within: .seconds(20), "the cloud has the loss record") {
                await site.cloud.look { $0.lastValues["drawbridge/recorder.loss"] != nil }
            }
        }
    }

    @Test("a PLC that is away: bad quality once, and its readings come back by themselves")
    func machineAway() async throws {
        try await Site.with { try await machineAway(in: $0) }
    }

    private func machineAway(in site: Site) async throws {
        try await site.startDaemon(config: Site.shippedConfiguration())
        let story = Story(site: site)
        _ = try await story.waitUntil("data flows") { $0.lastSequence > 10 }
        let cable = ["ip", "link", "set", "eth0"]
        _ = try await site.output(in: .plc, cable + ["down"])
        let away = try await story.waitUntil("the machine is missed") { $0.missesMachine }
        #expect(away.isCloudConnected)
        _ = try await site.output(in: .plc, cable + ["up"])
        let back = try await story.waitUntil("the machine answers again") { !$0.missesMachine }
        #expect(back.lost == 0)
    }

    @Test("kill -9, SIGSTOP: the gate closes within its lease, the firewall stays")
    func hungDaemon() async throws {
        try await Site.with { site in
            let story = Story(site: site)
            _ = try await story.dataFlows()
            _ = try await story.remoteUserReads()
            let flow = try await site.startFlow()
            try await site.waitUntil(within: .seconds(10), "packets pass") {
                try flow.report().arrivals.count > 200
            }
            let paused = try await site.pauseDaemon()
            try await Task.sleep(for: .seconds(2))
            let report = try await flow.stop()
            let last = try #require(report.lastArrival)
            // The lease is 500 ms; what comes on top is the noise of a shared machine.
            #expect(last - paused < .milliseconds(800), "\(Figure.time(last - paused))")
            let sent = try #require(report.lastSent)
            #expect(sent - paused > .seconds(1))
            try await site.resumeDaemon()
            try await story.waitUntil("the gate opens again") { $0.isGateOpen }
        }
    }

    @Test("SIGTERM is a normal end: exit 0, the gate shut, the firewall standing; SIGHUP is none")
    func orderlyEnd() async throws {
        try await Site.with { try await orderlyEnd(in: $0) }
    }

    private func orderlyEnd(in site: Site) async throws {
        let story = Story(site: site)
        _ = try await story.dataFlows()
        _ = try await story.remoteUserReads()
        let process = try #require(await site.daemonProcessID)
        kill(process, SIGHUP)
        _ = try await story.waitUntil("it answers after SIGHUP") { $0.isReady }
        let exit = try await site.stopDaemon()
        #expect(exit == .status(0))
        let gate = try await site.output(
            in: .router, ["nft", "list", "set", "inet", "drawbridge", "vpn_gate"])
        #expect(!gate.contains("expires"), "\(gate)")
        try await expectClosed(site)
    }

    @Test("somebody flushes nftables: put back at once, and nothing crosses")
    func foreignFlush() async throws {
        try await Site.with { site in
            let story = Story(site: site)
            _ = try await story.dataFlows()
            try await site.output(in: .router, ["nft", "flush", "ruleset"])
            try await story.waitUntil("the rules are in force again") {
                $0.status.firewall.isInForce
            }
            try await expectClosed(site)
        }
    }
}

extension Seen {
    /// Whether a machine does not answer.
    fileprivate var missesMachine: Bool { status.machines.contains { !$0.isConnected } }
}
