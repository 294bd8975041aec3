import Base
import Testing

@testable import Settings

/// `etc/drawbridge.toml` is the documentation: it must be right and say everything.
@Suite struct ExampleTests {
    @Test("the example is right, and means the emulated site")
    func exampleIsRight() throws {
        let settings = try Settings.load(file: Files.example)
        #expect(settings.device.name == "press-line-4")
        #expect(settings.uplinks.map(\.interface) == ["eth0", "wlan0", "wwan0"])
        #expect(
            settings.uplinks.map { $0.gateway?.description } == [
                "10.1.0.1", "10.2.0.1", "10.3.0.1",
            ])
        #expect(
            settings.uplinks.allSatisfy { !$0.usesDHCP && $0.keepAlive.interval == .seconds(1) })
        #expect(settings.lan.network == CIDR("192.168.140.0/24"))
        #expect(settings.cloud.broker.host.description == "mqtt.ixon.net")
        #expect(settings.recorder.size.bytes == 8_000_000_000)
        #expect(settings.machines.map(\.tags.count) == [7])
        #expect(settings.machines.first?.tags.last?.type == .string(bytes: 16))
        #expect(settings.machines.first?.tags.map(\.scale) == [nil, 0.1, nil, nil, nil, nil, nil])
        #expect(settings.vpn?.tlsCrypt == "/etc/drawbridge/pki/tls-crypt.key")
        #expect(settings.keySwitch?.line == .name("vpn-switch"))
    }

    @Test("each key is in the example, with its range and its default beside it")
    func exampleIsComplete() throws {
        let lines = try Files.text(Files.example).split(
            separator: "\n", omittingEmptySubsequences: false
        ).map { String($0) }
        var documented: [String: String] = [:]
        var section = ""
        var comment = ""
        for line in lines {
            if line.isEmpty {
                comment = ""
            } else if line.hasPrefix("# ") {
                comment += line.dropFirst(2) + " "
            } else if line.hasPrefix("[") || line.hasPrefix("#[") {
                section = line.filter { !"#[]".contains($0) }
            } else if let equals = line.firstIndex(of: "=") {
                let isUnset = line.hasPrefix("#")
                var name = line[..<equals].drop { $0 == "#" }.filter { $0 != " " }
                if line[equals...].hasPrefix("= { every =") { name += ".every" }
                documented["\(section).\(name)", default: comment] += ""
                // A comment holds for all unset keys that follow it directly.
                if !isUnset { comment = "" }
            }
        }
        let keys = Sections.root.documentation()
        #expect(keys.count == Set(keys.map(\.path)).count)
        for key in keys {
            let text = documented.removeValue(forKey: key.path)
            #expect(text != nil, "\(key.path) is not in the example")
            guard let text else { continue }
            #expect(text.contains(key.range), "\(key.path): \(key.range)")
            let fallback = key.fallback.map { "Default \($0)" } ?? "Required"
            #expect(text.contains(fallback), "\(key.path): \(fallback)")
        }
        #expect(documented.isEmpty, "not known: \(documented.keys.sorted())")
    }

    @Test("the keys that the example leaves unset can be set as written")
    func unsetKeysAreRight() throws {
        let text = try Files.text(Files.example)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("#") && !line.hasPrefix("# ") && line.count > 1 ? line.dropFirst() : line
        }
        // A key with three positions cuts the uplinks, a proxy carries TCP, and a syslog server is on the allow-list.
        let all = lines.joined(separator: "\n")
            .replacing("vpn.ixon.net:1194/udp", with: "vpn.ixon.net:8443/tcp")
            .replacing("disables = \"vpn\"", with: "disables = \"wan\"")
            .replacing("tls://logs.example.net:6514", with: "tls://logs.ixon.net:8443")
        #expect(all != text)
        _ = try Settings.parse(all)
    }

    @Test("a short file is enough, and the rest are defaults")
    func shortFile() throws {
        let settings = try Settings.parse(Files.short)
        let keepAlive = Settings.KeepAlive(
            targets: [IPv4Address("1.1.1.1"), IPv4Address("9.9.9.9")].compactMap { $0 },
            interval: .seconds(1), timeout: .milliseconds(500), failures: 3, successes: 5,
            burst: true)
        #expect(settings.uplinks.map(\.keepAlive) == [keepAlive])
        #expect(settings.uplinks.map(\.usesDHCP) == [true])
        #expect(settings.device.stateDirectory == "/var/lib/drawbridge")
        #expect(settings.cloud.ports.map(\.description) == ["tcp/443", "tcp/8443", "udp/1194"])
        #expect(settings.cloud.identity.key == "/etc/drawbridge/pki/device.key")
        #expect(settings.machines.isEmpty)
        #expect(settings.vpn == nil)
        #expect(settings.keySwitch == nil)
    }

    @Test("the summary says so when the machines may leave their network")
    func openedSummary() throws {
        let settings = try Settings.parse(Files.short + "[firewall]\nlan-to-wan = \"public\"\n")
        #expect(settings.firewall.lanToWAN == .public)
        #expect(
            settings.summary.last == "firewall  machines may reach the internet over the uplinks")
        #expect(try Settings.parse(Files.short).firewall.lanToWAN == .neither)
    }

    @Test("the summary tells who else may bring readings, and where events go")
    func otherSourcesSummary() throws {
        let settings = try Settings.parse(
            Files.short + """
                [push]
                listen = "192.168.140.1:4470"
                [[push.client]]
                name = "hmi-1"
                token-file = "/etc/drawbridge/push/hmi-1"
                [[subscribe]]
                name = "line-broker"
                broker = "mqtt://192.168.140.20:1883"
                [syslog]
                server = "tls://logs.ixon.net:8443"

                """)
        for line in [
            "brokers   line-broker at 192.168.140.20:1883, 0 tags",
            "push      hmi-1 to 192.168.140.1:4470",
            "syslog    events to logs.ixon.net:8443 over TLS",
        ] {
            #expect(settings.summary.contains(line), "\(settings.summary)")
        }
    }

    @Test("the summary tells what matters, also what a cut wire does")
    func summary() throws {
        let lines = try Settings.load(file: Files.example).summary
        #expect(
            lines == [
                "device    press-line-4",
                "uplinks   1. office (eth0): down after a silent burst of probes, "
                    + "or 3 lost probes 1s apart, up after 5 answers",
                "          2. wifi (wlan0): down after a silent burst of probes, "
                    + "or 3 lost probes 1s apart, up after 5 answers",
                "          3. lte (wwan0): down after a silent burst of probes, "
                    + "or 3 lost probes 1s apart, up after 5 answers",
                "lan       192.168.140.0/24 on br-lan",
                "cloud     broker mqtt.ixon.net:443",
                "          only *.ixon.net, *.ixon.cloud, *.ayayot.com on tcp/443, tcp/8443, udp/1194",
                "recorder  8GB in /var/lib/drawbridge/recorder, on flash within 1s",
                "machines  plc-1 at 192.168.140.10:502, 7 tags",
                "vpn       vpn.ixon.net udp/1194 on vpn0",
                "          a certificate for each session from enrol.ixon.net:443",
                "switch    /dev/gpiochip0 line \"vpn-switch\": high closes the VPN; "
                    + "a cut wire closes it too",
            ])
    }
}
