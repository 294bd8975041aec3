import Base
import Settings
import Testing

@testable import Firewall

/// Golden texts: `docs/behaviour.md` §2 says what each line is for.
@Suite struct RulesetTests {
    private func chain(_ name: String, of ruleset: Ruleset) throws -> [String] {
        try #require(ruleset.chains.first { $0.name == name }).rules
    }

    @Test("behaviour 2.2: to the router come only replies")
    func input() throws {
        let rules = try chain("input", of: Ruleset(for: examplePolicy()))
        #expect(
            rules == [
                #"iifname "lo" accept"#,
                "meta nfproto ipv6 counter name ipv6 drop",
                "ct state invalid counter name invalid drop",
                #"iifname { "eth0", "wlan0", "wwan0", "br-lan" } ct direction reply ct state established accept"#,
                #"iifname { "eth0", "wlan0", "wwan0", "br-lan" } meta l4proto icmp ct direction reply ct state related accept"#,
                #"iifname { "eth0", "wlan0", "wwan0" } counter name wan_to_router drop"#,
                #"iifname "br-lan" counter name lan_to_router drop"#,
                #"iifname "vpn0" counter name vpn_to_router drop"#,
                "counter name other_to_router drop",
            ])
    }

    @Test("behaviour 2.2: the status page and push, where configured, for the LAN only")
    func page() throws {
        var policy = try examplePolicy()
        let without = Ruleset(for: policy)
        policy.page = .init(address: try address("192.168.140.1"), port: 80)
        let with = Ruleset(for: policy)
        let added = try ["input", "output"].flatMap { name in
            let old = try chain(name, of: without)
            return try chain(name, of: with).filter { !old.contains($0) }
        }
        #expect(
            added == [
                #"iifname "br-lan" ip saddr 192.168.140.0/24 ip daddr 192.168.140.1 tcp dport 80 ct direction original ct state new,established accept"#,
                #"oifname "br-lan" ip saddr 192.168.140.1 ip daddr 192.168.140.0/24 tcp sport 80 ct direction reply ct state established accept"#,
            ])
        #expect(try chain("forward", of: with) == chain("forward", of: without))
        policy.push = .init(address: try address("192.168.140.1"), port: 4470)
        let pushing = try chain("input", of: Ruleset(for: policy))
        #expect(
            try pushing.filter { try !chain("input", of: with).contains($0) } == [
                #"iifname "br-lan" ip saddr 192.168.140.0/24 ip daddr 192.168.140.1 tcp dport 4470 ct direction original ct state new,established accept"#
            ])
    }

    @Test("behaviour 2.11: with a key for the uplinks, a lease is asked for before anything else")
    func uplinksNeedKey() throws {
        var policy = try examplePolicy(lanToWAN: .both)
        let without = Ruleset(for: policy)
        policy.uplinksNeedKey = true
        let with = Ruleset(for: policy)
        let ways = #"{ "eth0", "wlan0", "wwan0" }"#
        let rules = ["iifname", "oifname"].map {
            "\($0) \(ways) \($0) != @uplink_gate counter name uplinks_cut drop"
        }
        for (name, place, added) in [
            ("input", 2, [rules[0]]), ("forward", 3, rules), ("output", 2, [rules[1]]),
        ] {
            let (old, new) = (try chain(name, of: without), try chain(name, of: with))
            #expect(Array(new[place..<(place + added.count)]) == added)
            #expect(Array(new[..<place] + new[(place + added.count)...]) == old)
        }
    }

    @Test("behaviour 2.5: the VPN's proxy at its address and port, and nothing else by that")
    func proxy() throws {
        var policy = try examplePolicy()
        policy.agents = [990]
        let without = try chain("output", of: Ruleset(for: policy))
        policy.proxy = .init(address: try address("10.1.0.80"), port: 3128)
        let added = try chain("output", of: Ruleset(for: policy)).filter { !without.contains($0) }
        let way = "ip daddr 10.1.0.80 tcp dport 3128"
        #expect(
            added == [
                #"oifname "eth0" meta skuid { 990 } \#(way) ct mark set 0x64620101 accept"#,
                #"oifname "wlan0" meta skuid { 990 } \#(way) ct mark set 0x64620201 accept"#,
                #"oifname "wwan0" meta skuid { 990 } \#(way) ct mark set 0x64620301 accept"#,
                #"oifname { "eth0", "wlan0", "wwan0" } \#(way) ct mark & 0xffff00ff == 0x64620001 ct direction original ct state established accept"#,
            ])
    }

    @Test("behaviour 2.2: services for the LAN, each with its questions and its answers only")
    func lanServices() throws {
        var policy = try examplePolicy()
        let without = Ruleset(for: policy)
        policy.lanServices = [.dhcp, .ntp]
        let with = Ruleset(for: policy)
        let added = try ["input", "output", "forward"].map { name in
            let old = try chain(name, of: without)
            return try chain(name, of: with).filter { !old.contains($0) }
        }
        #expect(
            added == [
                [
                    #"iifname "br-lan" udp sport 68 udp dport 67 accept"#,
                    #"iifname "br-lan" ip saddr 192.168.140.0/24 udp dport 123 ct direction original ct state new,established accept"#,
                ],
                [
                    #"oifname "br-lan" udp sport 67 udp dport 68 accept"#,
                    #"oifname "br-lan" ip daddr 192.168.140.0/24 udp sport 123 ct direction reply ct state established accept"#,
                ], [],
            ])
    }

    @Test("behaviour 2.3: the gate is the first rule of forward, and the only way through")
    func forward() throws {
        let rules = try chain("forward", of: Ruleset(for: examplePolicy()))
        #expect(
            rules == [
                #"iifname "vpn0" iifname . oifname @vpn_gate goto vpn_to_lan"#,
                #"oifname "vpn0" iifname . oifname @vpn_gate goto lan_to_vpn"#,
                "meta nfproto ipv6 counter name ipv6 drop",
                #"iifname { "eth0", "wlan0", "wwan0" } oifname "br-lan" counter name wan_to_lan drop"#,
                #"iifname "br-lan" oifname { "eth0", "wlan0", "wwan0" } counter name lan_to_wan drop"#,
                #"iifname "vpn0" oifname "br-lan" counter name vpn_to_lan drop"#,
                #"iifname "br-lan" oifname "vpn0" counter name lan_to_vpn drop"#,
                "counter name other_forward drop",
            ])
    }

    @Test("behaviour 2.4: behind the gate only VPN users begin")
    func gate() throws {
        let ruleset = Ruleset(for: try examplePolicy())
        #expect(
            try chain("vpn_to_lan", of: ruleset) == [
                "ip saddr 10.8.0.0/24 ip daddr 192.168.140.0/24 ct direction original ct state new,established ct mark set 0x64620004 accept",
                "ip saddr 10.8.0.0/24 ip daddr 192.168.140.0/24 meta l4proto icmp ct direction original ct state related accept",
                "counter name vpn_to_lan drop",
            ])
        #expect(
            try chain("lan_to_vpn", of: ruleset) == [
                "ip saddr 192.168.140.0/24 ip daddr 10.8.0.0/24 ct direction reply ct state established accept",
                "ip saddr 192.168.140.0/24 ip daddr 10.8.0.0/24 meta l4proto icmp ct direction reply ct state related accept",
                "counter name lan_to_vpn drop",
            ])
    }

    @Test("behaviour 2.5: what the router itself sends")
    func output() throws {
        let wan = #"oifname { "eth0", "wlan0", "wwan0" }"#
        let ports = "meta l4proto . th dport { tcp . 443, tcp . 8443, udp . 1194 }"
        #expect(
            try chain("output", of: Ruleset(for: examplePolicy())) == [
                #"oifname "lo" accept"#,
                "meta nfproto ipv6 counter name ipv6 drop",
                #"oifname "eth0" ip daddr { 1.1.1.1, 9.9.9.9 } icmp type echo-request accept"#,
                #"oifname "wlan0" ip daddr { 1.1.1.1, 9.9.9.9 } icmp type echo-request accept"#,
                #"oifname "wwan0" ip daddr { 1.1.1.1, 9.9.9.9 } icmp type echo-request accept"#,
                "\(wan) ip daddr { 9.9.9.9 } meta l4proto . th dport { tcp . 53, udp . 53 } accept",
                "\(wan) ip daddr { 9.9.9.9 } udp dport 123 accept",
                #"oifname "br-lan" ip daddr . tcp dport { 192.168.140.10 . 502 } accept"#,
                #"oifname "eth0" ip daddr @cloud \#(ports) ct mark set 0x64620101 accept"#,
                #"oifname "wlan0" ip daddr @cloud \#(ports) ct mark set 0x64620201 accept"#,
                #"oifname "wwan0" ip daddr @cloud \#(ports) ct mark set 0x64620301 accept"#,
                "\(wan) \(ports) ct mark & 0xffff00ff == 0x64620001 ct direction original ct state established accept",
                "counter name egress drop",
            ])
    }

    @Test(
        "behaviour 2.1: no rule needs a map of its own, which a packet among the rules before would find void"
    )
    func noAnonymousMaps() throws {
        let any = try exception(.wan, .lan, destination: "192.168.140.10/32", "udp/5000")
        for ruleset in [
            Ruleset(for: try examplePolicy(lanToWAN: .both, allowed: [any])), .denyAll,
        ] {
            for rule in ruleset.chains.flatMap(\.rules) {
                #expect(!rule.contains("map {"), "\(rule)")
            }
        }
    }

    @Test(
        "behaviour 2.5: only the daemon's user begins; what has begun goes on for whoever it belongs to"
    )
    func agents() throws {
        var policy = try examplePolicy()
        policy.agents = [0, 990]
        let rules = try chain("output", of: Ruleset(for: policy))
        let users = "meta skuid { 0, 990 }"
        for begins in [
            "icmp type echo-request", "tcp . 53, udp . 53", "192.168.140.10 . 502", "@cloud",
        ] {
            let matching = rules.filter { $0.contains(begins) }
            #expect(!matching.isEmpty)
            for rule in matching {
                #expect(rule.contains(users) || rule.contains("ct state established"), "\(rule)")
            }
        }
        #expect(rules.filter { $0.contains("udp dport 123") }.allSatisfy { !$0.contains("skuid") })
    }

    @Test("DHCP passes only on the uplinks that use it")
    func dhcp() throws {
        let with = Ruleset(for: try examplePolicy(dhcp: true))
        #expect(
            try chain("input", of: with).contains(
                #"iifname { "eth0" } udp sport 67 udp dport 68 accept"#))
        #expect(
            try chain("output", of: with).contains(
                #"oifname { "eth0" } udp sport 68 udp dport 67 accept"#))
        #expect(!Ruleset(for: try examplePolicy()).text().contains("sport 67"))
    }

    @Test("without remote access there is no way through at all")
    func noVPN() throws {
        let ruleset = Ruleset(for: try examplePolicy(vpn: false))
        for name in ["forward", "vpn_to_lan", "lan_to_vpn"] {
            for rule in try chain(name, of: ruleset) { #expect(rule.hasSuffix(" drop")) }
        }
    }

    @Test("empty lists leave their rule out instead of writing an empty set")
    func emptyLists() throws {
        var policy = try examplePolicy()
        policy.machines = []
        policy.timeServers = []
        policy.nameServers = []
        policy.cloudPorts = []
        policy.uplinks = []
        #expect(!Ruleset(for: policy).text().contains("{  }"))
        #expect(try chain("output", of: Ruleset(for: policy)).count == 3)
    }

    @Test(
        "every base chain ends in a counted drop, and no rule accepts both ways",
        arguments: [true, false])
    func endsInDrop(vpn: Bool) throws {
        for ruleset in [Ruleset(for: try examplePolicy(vpn: vpn)), .denyAll] {
            for chain in ruleset.chains
            where chain.hook.map({ Ruleset.Hook.filters.contains($0) })
                ?? !["trial_", "refused_"].contains(where: chain.name.hasPrefix)
            {
                let last = try #require(chain.rules.last)
                #expect(last.hasPrefix("counter name ") && last.hasSuffix(" drop"))
            }
            #expect(
                ruleset.chains.filter { $0.name == "forward" }.allSatisfy { chain in
                    chain.rules.allSatisfy { !$0.hasSuffix("accept") }
                })
        }
    }

    @Test("the text of deny-all, whole")
    func denyAllText() {
        let flows = ["wan", "lan", "vpn"].flatMap { ["new_\($0)", "syn_\($0)"] }
        let counters = (Ruleset.Counter.allCases.map(\.rawValue) + flows)
            .map { "\tcounter \($0) {\n\t}\n" }.joined()
        let tried = ["input", "forward", "output", "marks", "destination_nat", "source_nat"]
        let maps = tried.map {
            "\tmap trial_\($0) {\n\t\ttype nf_proto : verdict\n\t\tflags timeout\n\t}\n"
        }.joined()
        let noted = ["wan", "lan", "vpn", "router"].map { "refused_\($0)" }
        let chains = (tried.map { "trial_\($0)" } + noted)
            .map { "\tchain \($0) {\n\t}\n" }.joined()
        #expect(
            Ruleset.denyAll.text() == """
                add table inet drawbridge
                flush table inet drawbridge
                table inet drawbridge {
                \(counters)\tset cloud {
                \t\ttype ipv4_addr
                \t\tflags timeout
                \t\tsize 1024
                \t}
                \tset vpn_gate {
                \t\ttype ifname . ifname
                \t\tflags timeout
                \t\tsize 16
                \t}
                \tset uplink_gate {
                \t\ttype ifname
                \t\tflags timeout
                \t\tsize 32
                \t}
                \(maps)\tchain vpn_to_lan {
                \t\tcounter name vpn_to_lan drop
                \t}
                \tchain lan_to_vpn {
                \t\tcounter name lan_to_vpn drop
                \t}
                \tchain input {
                \t\ttype filter hook input priority filter; policy drop;
                \t\tiifname "lo" accept
                \t\tcounter name other_to_router drop
                \t}
                \tchain forward {
                \t\ttype filter hook forward priority filter; policy drop;
                \t\tcounter name other_forward drop
                \t}
                \tchain output {
                \t\ttype filter hook output priority filter; policy drop;
                \t\toifname "lo" accept
                \t\tcounter name egress drop
                \t}
                \tchain marks {
                \t\ttype filter hook prerouting priority mangle; policy accept;
                \t}
                \tchain destination_nat {
                \t\ttype nat hook prerouting priority dstnat; policy accept;
                \t}
                \tchain source_nat {
                \t\ttype nat hook postrouting priority srcnat; policy accept;
                \t}
                \(chains)}

                """)
    }

    @Test(
        "an interface name that would mean something else in nft is refused",
        arguments: ["", "eth*", "a\"b", "a b", "sixteen-letters-", "..", "a/b", "ä"])
    func unsafeNames(name: String) {
        #expect(InterfaceName(name) == nil)
    }
}
