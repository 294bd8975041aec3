import Base
import Console
import Linux
import Testing

@testable import Site

/// The doctor in the site: each fault is named by its cable, name, port or line.
@Suite(
    "Doctor", .enabled(if: Programs.obstacles().isEmpty), .serialized, .timeLimit(.minutes(3)))
struct DoctorTests {
    private func report(_ site: Site) async throws -> DoctorReport {
        let result = try await site.run(
            in: .router, [site.programs.daemon, "doctor", "--json"], timeout: .seconds(45))
        let report = try ConsoleJSON.decode(DoctorReport.self, from: Array(result.output.utf8))
        #expect(result.exit == .status(report.failures.isEmpty ? 0 : 1))
        return report
    }

    private func step(
        _ name: String, of part: String, in report: DoctorReport
    ) throws -> DoctorReport.Step {
        let part = try #require(report.parts.first { $0.name.contains(part) })
        return try #require(part.steps.first { $0.name == name })
    }

    private func expect(
        _ report: DoctorReport, _ part: String, _ name: String, fails words: [String]
    ) throws {
        let step = try step(name, of: part, in: report)
        #expect(step.outcome == .failed, "\(part) \(name): \(step.text)")
        for word in words { #expect(step.text.contains(word), "\(word) in: \(step.text)") }
    }

    private func start(
        _ site: Site, config: String? = nil, working count: Int = 3
    ) async throws -> Story {
        let story = Story(site: site)
        try await site.startDaemon(config: config ?? Site.shippedConfiguration())
        try await story.waitUntil("the daemon is ready and the cloud connected") {
            $0.isReady && $0.isCloudConnected && $0.isTunnelConnected
                && $0.status.uplinks.count { $0.isUp && $0.address != nil } == count
        }
        return story
    }

    /// The site's own disk may be smaller than the ring that the example asks for.
    private static func smallRing() throws -> String {
        try Site.shippedConfiguration().replacing("size = \"8GB\"", with: "size = \"8MB\"")
    }

    @Test("a healthy site: every step is fine and there is nothing to ask of the IT department")
    func healthy() async throws {
        try await Site.with { site in
            _ = try await start(site, config: Self.smallRing())
            let report = try await report(site)
            #expect(report.failures.isEmpty, "\(report.text())")
            #expect(report.forIT == nil)
            for part in ["office", "wifi", "lte"] {
                let tls = try step("tls", of: part, in: report)
                #expect(tls.outcome == .ok && tls.text.contains("mqtt.ixon.net"), "\(tls.text)")
            }
        }
    }

    @Test("what is wrong on the ways out is told on the uplink where it is, with what IT shall do")
    func waysOut() async throws {
        try await Site.with { site in
            let story = try await start(site, config: Self.smallRing())
            // Cable pulled at the office, DNS silent on wifi, MQTT's port blocked on 4G.
            try await site.pullCable(.a)
            try await site.output(
                in: .ispB, ["nft", "add rule ip isp faults udp dport 53 drop"])
            try await site.output(
                in: .ispC, ["nft", "add rule ip isp faults tcp dport 443 drop"])
            try await story.waitUntil("the office uplink is down") {
                $0.status.uplinks.first?.isUp == false
            }
            let report = try await report(site)
            try expect(report, "office", "link", fails: ["no link on eth0", "cable of office"])
            #expect(try step("tcp", of: "office", in: report).outcome == .skipped)
            try expect(report, "wifi", "dns", fails: ["9.9.9.9 (udp/53)", "no answer within 4s"])
            #expect(try step("tcp", of: "wifi", in: report).outcome == .ok)
            try expect(report, "lte", "tcp", fails: ["203.0.113.10", "tcp/443", "blocked"])
            let sentence = try #require(report.forIT)
            for words in [
                "press-line-4", "wifi (address 10.2.0.2, MAC ", "udp/53", "9.9.9.9",
                "connect to mqtt.ixon.net (203.0.113.10) tcp/443",
            ] { #expect(sentence.contains(words), "\(words) in: \(sentence)") }
            #expect(!sentence.contains("office"))
        }
    }

    @Test("a gateway that is not there, and a certificate that intercepts, by its issuer's name")
    func gatewayAndInterception() async throws {
        try await Site.with { site in
            let config = try Self.smallRing().replacing(
                "gateway = \"10.1.0.1\"", with: "gateway = \"10.1.0.99\"")
            _ = try await start(site, config: config, working: 2)
            try await intercept(site)
            let report = try await report(site)
            try expect(
                report, "office", "gateway", fails: ["10.1.0.99 does not answer ARP on eth0"])
            try expect(
                report, "lte", "tls", fails: ["intercepted", "\"Corp Inspection CA\"", "ca.pem"])
            #expect(try step("tls", of: "wifi", in: report).outcome == .ok)
            let sentence = try #require(report.forIT)
            #expect(sentence.contains("without TLS inspection"), "\(sentence)")
            #expect(sentence.contains("Corp Inspection CA"), "\(sentence)")
        }
    }

    /// 4G's provider opens what its customers say on port 443.
    private func intercept(_ site: Site) async throws {
        let folder = site.directory.path
        try await site.output(
            in: .ispC,
            [
                "sh", "-c",
                """
                cd \(folder) && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
                -keyout corp.key -out corp.pem -subj "/CN=Corp Inspection CA" 2>/dev/null \
                && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout seen.key -out seen.csr \
                -subj "/CN=mqtt.ixon.net" -addext "subjectAltName=DNS:mqtt.ixon.net" 2>/dev/null \
                && openssl x509 -req -in seen.csr -CA corp.pem -CAkey corp.key -CAcreateserial -days 2 \
                -copy_extensions copy -out seen.pem 2>/dev/null
                """,
            ])
        try await site.output(
            in: .ispC, ["nft", "-f", "-"],
            input: """
                table ip inspect {
                    chain prerouting {
                        type nat hook prerouting priority -100; policy accept;
                        iifname "router" tcp dport 443 redirect to :8443
                    }
                }

                """)
        _ = try await site.startBackground(
            in: .ispC, name: "inspection",
            [
                "openssl", "s_server", "-quiet", "-accept", "8443", "-cert", folder + "/seen.pem",
                "-key", folder + "/seen.key",
            ])
        try await Task.sleep(for: .milliseconds(500))
    }

    @Test("the broker gone, the GPIO chip dead, the disk too small")
    func otherEnds() async throws {
        try await Site.with { site in
            let story = try await start(
                site,
                config: Site.shippedConfiguration().replacing(
                    "size = \"8GB\"", with: "size = \"1TiB\""))
            try await site.commandGPIO("unplug")
            await site.parts.first { $0.name == "mosquitto" }?.stop()
            try await story.waitUntil("cloud and switch are away") {
                !$0.isCloudConnected && $0.status.keySwitch?.position == .unknown
            }
            let report = try await report(site)
            for part in ["office", "wifi", "lte"] {
                try expect(report, part, "tcp", fails: ["tcp/443", "connection refused"])
            }
            try expect(report, "cloud", "mqtt", fails: ["mqtts://mqtt.ixon.net:443"])
            try expect(report, "remote access", "gpio", fails: ["[switch] chip and line"])
            try expect(report, "router", "disk", fails: ["[recorder] size"])
            let text = report.text()
            #expect(text.contains("To the IT department: please let the device press-line-4"))
        }
    }

    @Test("behaviour 6.2: a syslog server, an HTTPS folder and a LAN broker: each by its own step")
    func servers() async throws {
        try await Site.with { try await serversAreTold(in: $0) }
    }

    private func serversAreTold(in site: Site) async throws {
        let folder = site.directory.path
        try site.directory.write(
            "listener 1883 192.168.140.10\nallow_anonymous false\nuser root\n",
            to: folder + "/line-broker.conf")
        _ = try await site.startBackground(
            in: .plc, name: "line-broker", ["mosquitto", "-c", folder + "/line-broker.conf"])
        let certificates = site.directory.certificates
        let logs = try await site.startBackground(
            in: .cloud, name: "logs",
            [
                "openssl", "s_server", "-quiet", "-accept", "203.0.113.10:8443", "-cert",
                certificates + "/logs.pem", "-key", certificates + "/logs.key",
            ])
        _ = try await start(
            site,
            config: Self.smallRing() + """

                [syslog]
                server = "tls://logs.ixon.net:8443"
                [bulk]
                url = "https://nowhere.ixon.net/blocks"
                [[subscribe]]
                name = "line-broker"
                broker = "mqtt://192.168.140.10:1883"
                [[subscribe.tag]]
                name = "oven.humidity"
                topic = "plant/oven"

                """)
        let before = try await report(site)
        #expect(try step("tls", of: "syslog", in: before).outcome == .ok)
        try expect(before, "blocks", "dns", fails: ["nowhere.ixon.net", "[bulk] url"])
        #expect(try step("tcp", of: "broker line-broker", in: before).outcome == .ok)
        try expect(before, "broker line-broker", "login", fails: ["user and password-file"])
        await logs.stop()
        let after = try await report(site)
        try expect(after, "syslog", "tcp", fails: ["tcp/8443", "connection refused"])
    }

    @Test("without a daemon: said so, and what to do")
    func noDaemon() async throws {
        try await Site.with { site in
            let result = try await site.run(in: .router, [site.programs.daemon, "doctor"])
            #expect(result.exit == .status(1))
            #expect(result.error.contains("no daemon is listening"))
            #expect(result.error.contains("drawbridge check"))
        }
    }
}
