import Base

extension Ruleset {
    /// §2.2: what is sent to the router itself.
    static func input(_ policy: FirewallPolicy, _ exceptions: [ExceptionSet]) -> [String] {
        let wan = set(policy.uplinks.map(\.interface).map(quoted))
        let lan = quoted(policy.lan.interface)
        let dialled = set(policy.uplinks.map(\.interface).map(quoted) + [lan])
        let dhcp = set(policy.uplinks.filter(\.usesDHCP).map(\.interface).map(quoted))
        var rules = [
            #"iifname "lo" accept"#,
            "meta nfproto ipv6 \(Counter.ipv6.drop)",
        ]
        rules += uplinkGate(policy, ["iifname"])
        rules.append("ct state invalid \(Counter.invalid.drop)")
        if let dialled {
            // Replies only: not what somebody else began, before these rules were there.
            rules.append("iifname \(dialled) ct direction reply ct state established accept")
            rules.append(
                "iifname \(dialled) meta l4proto icmp ct direction reply ct state related accept")
        }
        if let dhcp { rules.append("iifname \(dhcp) udp sport 67 udp dport 68 accept") }
        rules += exceptionsToRouter(policy, exceptions)
        rules += lanServicesAsked(policy)
        rules += policy.listeners.map {
            "iifname \(lan) ip saddr \(policy.lan.network) ip daddr \($0.address) "
                + "tcp dport \($0.port) ct direction original ct state new,established accept"
        }
        if let wan { rules.append("iifname \(wan) \(Counter.wanToRouter.drop)") }
        rules.append("iifname \(lan) \(Counter.lanToRouter.drop)")
        if let vpn = policy.vpn {
            rules.append("iifname \(quoted(vpn.interface)) \(Counter.vpnToRouter.drop)")
        }
        return rules + [Counter.otherToRouter.drop]
    }

    /// §2.3: what is sent through the router. The gate is first: behind a conntrack rule, closing it
    /// would not cut what is established.
    static func forward(_ policy: FirewallPolicy, _ exceptions: [ExceptionSet]) -> [String] {
        let wan = set(policy.uplinks.map(\.interface).map(quoted))
        let lan = quoted(policy.lan.interface)
        var rules: [String] = []
        if let vpn = policy.vpn.map({ quoted($0.interface) }) {
            // Comparing one name is cheaper than looking up two: what is none of the gate's affair goes by.
            let ways = [("iifname", vpnToLANChain), ("oifname", lanToVPNChain)]
            rules += ways.map {
                "\($0) \(vpn) iifname . oifname @\(vpnGateSet) goto \($1)"
            }
        }
        rules.append("meta nfproto ipv6 \(Counter.ipv6.drop)")
        rules += uplinkGate(policy, ["iifname", "oifname"])
        if let wan {
            rules += clamping(policy, wan)
            rules += lanToWAN(policy, wan)
            rules += exceptionsThrough(policy, exceptions, wan)
            rules.append("iifname \(wan) oifname \(lan) \(Counter.wanToLAN.drop)")
            rules.append("iifname \(lan) oifname \(wan) \(Counter.lanToWAN.drop)")
        }
        if let vpn = policy.vpn.map({ quoted($0.interface) }) {
            rules.append("iifname \(vpn) oifname \(lan) \(Counter.vpnToLAN.drop)")
            rules.append("iifname \(lan) oifname \(vpn) \(Counter.lanToVPN.drop)")
        }
        return rules + [Counter.otherForward.drop]
    }

    /// §2.4: what a remote user sends while the gate is open.
    static func vpnToLAN(_ policy: FirewallPolicy) -> [String] {
        guard let vpn = policy.vpn else { return [Counter.vpnToLAN.drop] }
        let pair = "ip saddr \(vpn.network) ip daddr \(policy.lan.network)"
        return grant(policy, Counter.vpnToLAN) + [
            "\(pair) ct direction original ct state new,established "
                + "ct mark set \(ConnectionMark.hex(ConnectionMark.vpn.rawValue)) accept",
            "\(pair) meta l4proto icmp ct direction original ct state related accept",
            Counter.vpnToLAN.drop,
        ]
    }

    /// §2.4: what the machines answer to a remote user while the gate is open.
    static func lanToVPN(_ policy: FirewallPolicy) -> [String] {
        guard let vpn = policy.vpn else { return [Counter.lanToVPN.drop] }
        let pair = "ip saddr \(policy.lan.network) ip daddr \(vpn.network)"
        return grant(policy, Counter.lanToVPN) + [
            "\(pair) ct direction reply ct state established accept",
            "\(pair) meta l4proto icmp ct direction reply ct state related accept",
            Counter.lanToVPN.drop,
        ]
    }

    /// Without the mark the daemon that opened the gate is dead.
    private static func grant(_ policy: FirewallPolicy, _ counter: Counter) -> [String] {
        policy.needsGrant
            ? ["meta mark != \(ConnectionMark.hex(grantMark)) \(counter.drop)"] : []
    }

    /// §2.11: what comes in from, or goes out to, an uplink whose lease has ended. It comes before whatever looks at
    /// connections.
    private static func uplinkGate(_ policy: FirewallPolicy, _ sides: [String]) -> [String] {
        guard policy.uplinksNeedKey, let wan = set(policy.uplinks.map(\.interface).map(quoted))
        else { return [] }
        return sides.map {
            "\($0) \(wan) \($0) != @\(uplinkGateSet) \(Counter.uplinksCut.drop)"
        }
    }

    /// §2.5: what the router itself sends.
    static func output(_ policy: FirewallPolicy, _ exceptions: [ExceptionSet]) -> [String] {
        let wan = set(policy.uplinks.map(\.interface).map(quoted))
        let dhcp = set(policy.uplinks.filter(\.usesDHCP).map(\.interface).map(quoted))
        let users = set(policy.agents.map { "\($0)" })
        // A packet of a connection that goes on may belong to no socket any more, and so to nobody.
        let begins = users.map { "meta skuid \($0) " } ?? ""
        let goesOn = "ct direction original ct state established"
        var rules = [#"oifname "lo" accept"#, "meta nfproto ipv6 \(Counter.ipv6.drop)"]
        rules += uplinkGate(policy, ["oifname"])
        for uplink in policy.uplinks {
            rules += probes(uplink, begins: begins, goesOn: goesOn)
            rules += loginCheck(uplink, begins: begins, goesOn: goesOn)
        }
        for uplink in policy.uplinks {
            guard let targets = set(uplink.probeTargets.sorted().map(\.description)) else {
                continue
            }
            rules.append(
                "oifname \(quoted(uplink.interface)) \(begins)ip daddr \(targets) "
                    + "icmp type echo-request accept")
        }
        if let wan {
            if let servers = set(policy.nameServers.sorted().map(\.description)) {
                let way = "ip daddr \(servers) meta l4proto . th dport { tcp . 53, udp . 53 }"
                rules.append("oifname \(wan) \(begins)\(way) accept")
                if users != nil { rules.append("oifname \(wan) \(way) \(goesOn) accept") }
            }
            if let servers = set(policy.timeServers.sorted().map(\.description)) {
                rules.append("oifname \(wan) ip daddr \(servers) udp dport 123 accept")
            }
        }
        if let dhcp { rules.append("oifname \(dhcp) udp sport 68 udp dport 67 accept") }
        rules += repliesOfRouter(policy, exceptions)
        rules += lanServicesAnswer(policy)
        rules += endingConnections(policy, begins)
        rules += tooBig(policy)
        if let machines = set(policy.machines.map { "\($0.address) . \($0.port)" }) {
            let way = "oifname \(quoted(policy.lan.interface))"
            rules.append("\(way) \(begins)ip daddr . tcp dport \(machines) accept")
            if users != nil {
                rules.append("\(way) ip daddr . tcp dport \(machines) \(goesOn) accept")
            }
        }
        let ports = set(policy.cloudPorts.map { "\($0.transport.rawValue) . \($0.port)" })
        rules += policy.listeners.map {
            "oifname \(quoted(policy.lan.interface)) ip saddr \($0.address) ip daddr "
                + "\(policy.lan.network) tcp sport \($0.port) ct direction reply "
                + "ct state established accept"
        }
        if let wan, let proxy = policy.proxy {
            let way = "ip daddr \(proxy.address) tcp dport \(proxy.port)"
            rules += ConnectionMark.cloud.accepting(policy, "\(begins)\(way)")
            rules.append("oifname \(wan) \(way) \(ConnectionMark.cloud.match) \(goesOn) accept")
        }
        if let wan, let ports {
            let cloud = "meta l4proto . th dport \(ports)"
            rules += ConnectionMark.cloud.accepting(
                policy, "\(begins)ip daddr @\(cloudSet) \(cloud)")
            // A live connection outlasts the time its address was open for. One that a program had begun
            // before these rules, to whomever, has no mark.
            rules.append(
                "oifname \(wan) \(cloud) \(ConnectionMark.cloud.match) \(goesOn) accept")
        }
        return rules + [Counter.egress.drop]
    }

    static func quoted(_ interface: InterfaceName) -> String { "\"\(interface)\"" }

    /// An anonymous nft set without repetitions; nil when it would be empty.
    static func set(_ members: [String]) -> String? {
        var unique: [String] = []
        for member in members where !unique.contains(member) { unique.append(member) }
        return unique.isEmpty ? nil : "{ \(unique.joined(separator: ", ")) }"
    }
}
