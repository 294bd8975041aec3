import Base
import Settings
import Testing

@testable import Firewall

/// What the config opens between LAN and WAN, as rules.
@Suite struct CrossingTests {
    private func chain(_ name: String, of policy: FirewallPolicy) throws -> [String] {
        try #require(Ruleset(for: policy).chains.first { $0.name == name }).rules
    }

    @Test("behaviour 2.7: neither is the default, and leaves no rule that could let anything pass")
    func neither() throws {
        let policy = try examplePolicy()
        #expect(policy.openings.lanToWAN == .neither)
        #expect(try chain("source_nat", of: policy).isEmpty)
        // Nothing but the counters of §2.10.
        #expect(
            try chain("destination_nat", of: policy).allSatisfy {
                $0.split(separator: " ").dropLast().suffix(2) == ["counter", "name"]
            })
        #expect(
            try chain("marks", of: policy) == [
                #"iifname { "eth0", "wlan0", "wwan0" } ip daddr { 192.168.140.0/24, 10.8.0.0/24 } fib daddr type unicast counter name wan_to_lan drop"#,
                #"iifname "vpn0" ip daddr != 192.168.140.0/24 fib daddr type unicast counter name other_forward drop"#,
                #"iifname "br-lan" ip daddr != { 192.168.140.0/24, 10.8.0.0/24 } fib daddr type unicast counter name lan_to_wan drop"#,
            ])
        let forward = try chain("forward", of: policy)
        #expect(forward.allSatisfy { !$0.hasSuffix("accept") })
    }

    @Test("behaviour 2.7: private, as rules: out to private addresses only, back only replies")
    func privateOnly() throws {
        let policy = try examplePolicy(lanToWAN: .private)
        let wan = #"{ "eth0", "wlan0", "wwan0" }"#
        let out = #"iifname "br-lan" oifname \#(wan) ip saddr 192.168.140.0/24"#
        let back = #"iifname \#(wan) oifname "br-lan" ip daddr 192.168.140.0/24"#
        let there = "{ 10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12, 192.168.0.0/16 }"
        let own = "!= { 192.168.140.0/24, 10.8.0.0/24 }"
        let begins =
            #"iifname "br-lan" ip saddr 192.168.140.0/24 ip daddr \#(there) ip daddr \#(own) "#
            + "ct direction original ct state new,established"
        let clamp = "tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu"
        #expect(
            try chain("forward", of: policy) == [
                #"iifname "vpn0" iifname . oifname @vpn_gate goto vpn_to_lan"#,
                #"oifname "vpn0" iifname . oifname @vpn_gate goto lan_to_vpn"#,
                "meta nfproto ipv6 counter name ipv6 drop",
                "\(out) \(clamp)",
                "\(back) \(clamp)",
                #"oifname "eth0" \#(begins) ct mark set 0x64620102 accept"#,
                #"oifname "wlan0" \#(begins) ct mark set 0x64620202 accept"#,
                #"oifname "wwan0" \#(begins) ct mark set 0x64620302 accept"#,
                "\(out) ip daddr \(there) ip daddr \(own) meta l4proto icmp ct direction original ct state related accept",
                "\(back) ip saddr \(there) ip saddr \(own) ct direction reply ct state established accept",
                "\(back) meta l4proto icmp ct direction reply ct state related accept",
                #"iifname { "eth0", "wlan0", "wwan0" } oifname "br-lan" counter name wan_to_lan drop"#,
                #"iifname "br-lan" oifname { "eth0", "wlan0", "wwan0" } counter name lan_to_wan drop"#,
                #"iifname "vpn0" oifname "br-lan" counter name vpn_to_lan drop"#,
                #"iifname "br-lan" oifname "vpn0" counter name lan_to_vpn drop"#,
                "counter name other_forward drop",
            ])
        #expect(
            try chain("marks", of: policy).suffix(2) == [
                #"iifname { "eth0", "wlan0", "wwan0" } meta mark set 0x64620000"#,
                #"iifname "br-lan" meta mark set 0x64620000"#,
            ])
        #expect(
            try chain("source_nat", of: policy) == [
                "oifname \(wan) ip saddr 192.168.140.0/24 masquerade"
            ])
    }

    @Test("behaviour 4.7: machines that may go out may be told that their connection has ended")
    func endings() throws {
        func told(_ policy: FirewallPolicy) throws -> [String] {
            try #require(Ruleset(for: policy).chains.first { $0.name == "output" }).rules
                .filter { $0.contains("rst") }
        }
        #expect(try told(examplePolicy()).isEmpty)
        let machines = #"oifname "br-lan" ip daddr 192.168.140.0/24"#
        #expect(
            try told(examplePolicy(lanToWAN: .both)) == [
                "\(machines) meta mark 0x64630001 tcp flags & (fin | syn | rst | ack) == syn accept",
                "\(machines) tcp flags & rst == rst ct state related accept",
            ])
    }

    @Test("behaviour 2.8: a mark tells the uplink and the kind")
    func marks() {
        #expect(ConnectionMark.value(uplink: 0) == 0x6462_0100)
        #expect(ConnectionMark.value(uplink: 7) == 0x6462_0800)
        for kind in [ConnectionMark.cloud, .lanToWAN] {
            let mark = kind.rawValue | ConnectionMark.value(uplink: 2)
            #expect(mark & ConnectionMark.uplinkMask == ConnectionMark.value(uplink: 2))
        }
    }

    @Test(
        "behaviour 2.3: the second line lets only VPN and LAN meet, and by the specific routes only"
    )
    func secondLine() throws {
        let plan = ForwardingPlan(for: try examplePolicy())
        #expect(plan.isEnabled && plan.opened.isEmpty)
        #expect(plan.closed.map(\.description) == ["eth0", "wlan0", "wwan0"])
        let rules = try #require(plan.rules)
        #expect(
            try rules.map(\.packets)
                == [
                    "vpn0", "br-lan", "eth0", "wlan0", "wwan0", "br-lan", "vpn0",
                ].map { .from(try #require(InterfaceName($0))) })
        #expect(
            rules.prefix(2).allSatisfy { $0.action == .route(onlySpecific: true) && $0.to != nil })
        #expect(
            rules.dropFirst(2).allSatisfy { $0.action == .drop && $0.to == nil && !$0.needsMark })
    }

    @Test(
        "behaviour 2.3: what the config opens needs the rules' mark, and without VPN nothing else is open"
    )
    func secondLineOpened() throws {
        let plan = ForwardingPlan(for: try examplePolicy(vpn: false, lanToWAN: .both))
        #expect(plan.isEnabled && plan.closed.isEmpty)
        let rules = try #require(plan.rules)
        for rule in rules where rule.action != .drop { #expect(rule.needsMark) }
        #expect(rules.suffix(4).allSatisfy { $0.action == .drop })
        #expect(ForwardingPlan(for: try examplePolicy(vpn: false)).isEnabled == false)
    }

    @Test(
        "behaviour 2.3: the kernel's own TCP answers go nowhere, unless an exception lets somebody begin to the router"
    )
    func silence() throws {
        func last(_ policy: FirewallPolicy) -> [ForwardingPlan.Rule] {
            (ForwardingPlan(for: policy).rules ?? []).filter { $0.packets == .superusersTCP }
        }
        var policy = try examplePolicy()
        #expect(last(policy).isEmpty, "nobody knows whose connections are ours")
        policy.agents = [990]
        #expect(last(policy) == [ForwardingPlan.Rule(.superusersTCP, action: .drop)])
        policy.agents = [0]
        #expect(last(policy).isEmpty, "our own connections are the superuser's")
        policy.agents = [990]
        policy.openings.allowed = [try exception(.lan, .router, "tcp/22")]
        #expect(last(policy).map(\.action) == [.route(onlySpecific: true), .drop])
        #expect(last(policy).first?.to == policy.lan.network)
        policy.openings.allowed = [try exception(.wan, .router, "tcp/22")]
        #expect(last(policy).isEmpty)
    }
}
