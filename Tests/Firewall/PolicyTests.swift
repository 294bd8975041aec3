import Base
import Testing

@testable import Firewall
@testable import Settings

@Suite struct PolicyTests {
    private func settings(interface: String = "eth0") throws -> Settings {
        let identity = Settings.Identity(authority: "ca", certificate: "crt", key: "key")
        let host = try #require(DomainName("mqtt.ixon.net"))
        return Settings(
            device: .init(name: "d", stateDirectory: "/s", runDirectory: "/r"),
            uplinks: [
                .init(
                    name: "office", interface: interface, gateway: nil, usesDHCP: true,
                    network: nil,
                    keepAlive: .init(
                        targets: [try address("1.1.1.1")], interval: .seconds(1),
                        timeout: .milliseconds(500), failures: 3, successes: 5))
            ],
            lan: .init(
                interface: "br-lan", network: try #require(CIDR("192.168.140.0/24"))),
            dns: .init(servers: [try address("9.9.9.9")], listen: try address("127.0.0.1")),
            ntp: .init(servers: [try address("9.9.9.8")]),
            cloud: .init(
                domains: [], ports: [TransportPort(.tcp, 443)],
                broker: .init(host: host, port: TransportPort(.tcp, 443)), group: "g",
                identity: identity),
            recorder: .init(
                directory: "/s/r", size: ByteSize(bytes: 1 << 20), sync: .seconds(1)),
            machines: [
                .init(
                    name: "plc-1", address: try address("192.168.140.10"), port: 502, unit: 1,
                    timeout: .seconds(1), tags: [])
            ],
            vpn: .init(
                remote: .init(host: host, port: TransportPort(.udp, 1194)), interface: "vpn0",
                network: try #require(CIDR("10.8.0.0/24")), identity: identity, tlsCrypt: nil,
                verifyName: "vpn"),
            keySwitch: nil)
    }

    @Test(
        "behaviour 2.5: a probe that is no ping opens its target's port on its own uplink, and nothing else"
    )
    func probes() throws {
        var settings = try settings()
        settings.uplinks[0].keepAlive.probes = [
            .init(try address("1.1.1.1"), .connect(port: 443)), .init(try address("9.9.9.9"), .dns),
        ]
        let policy = try FirewallPolicy(settings, agents: [7])
        #expect(policy.uplinks[0].probeTargets == [])
        let rules = Ruleset.output(policy, [])
        let way = "ip daddr . meta l4proto . th dport { 1.1.1.1 . tcp . 443, 9.9.9.9 . udp . 53 }"
        #expect(rules.contains("oifname \"eth0\" meta skuid { 7 } \(way) accept"))
        #expect(
            rules.contains(
                "oifname \"eth0\" \(way) ct direction original ct state established accept"))
        #expect(
            !rules.contains { $0.contains("icmp") || ($0.contains("1.1.1.1") && !$0.contains(way)) }
        )
    }

    @Test("everything the rules need comes from the config")
    func fromSettings() throws {
        let policy = try FirewallPolicy(settings(), agents: [7])
        #expect(policy.uplinks.map(\.interface.description) == ["eth0"])
        #expect(policy.uplinks.map(\.usesDHCP) == [true])
        #expect(policy.uplinks.map(\.probeTargets) == [[try address("1.1.1.1")]])
        #expect(policy.lan.interface.description == "br-lan")
        #expect(policy.vpn?.network == CIDR("10.8.0.0/24"))
        #expect(policy.nameServers == [try address("9.9.9.9")])
        #expect(policy.timeServers == [try address("9.9.9.8")])
        #expect(policy.cloudPorts == [TransportPort(.tcp, 443)])
        #expect(policy.openings.lanToWAN == .neither)
        #expect(policy.agents == [7])
        #expect(policy.machines == [.init(address: try address("192.168.140.10"), port: 502)])
    }

    @Test("an interface name that nft would read as a pattern is an error, not a rule")
    func unusableInterface() throws {
        let settings = try settings(interface: "eth*")
        #expect(throws: FirewallError.unusableInterface("eth*")) {
            try FirewallPolicy(settings, agents: [])
        }
    }
}
