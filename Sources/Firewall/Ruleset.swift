import Base

/// The rules of table `inet drawbridge`: a pure function of the policy, and their nft text.
///
/// The text is one transaction. It keeps the table, its base chains, sets, maps and counters, and
/// exchanges only the rules: a base chain that is created anew accepts, and one that is deleted is
/// empty, for the packets of a moment. For the same reason every base chain ends in a written `drop`
/// besides its policy. Sections refer to `docs/behaviour.md`.
package struct Ruleset: Equatable, Sendable {
    package struct Chain: Equatable, Sendable {
        package var name: String
        /// nil: entered only through the gate.
        package var hook: Hook?
        package var rules: [String]
    }

    package enum Hook: String, CaseIterable, Sendable {
        case input, forward, output
    }

    /// What was dropped, by who wanted to send to whom.
    package enum Counter: String, CaseIterable, Sendable {
        case wanToRouter = "wan_to_router"
        case lanToRouter = "lan_to_router"
        case vpnToRouter = "vpn_to_router"
        case otherToRouter = "other_to_router"
        case wanToLAN = "wan_to_lan"
        case lanToWAN = "lan_to_wan"
        case vpnToLAN = "vpn_to_lan"
        case lanToVPN = "lan_to_vpn"
        case otherForward = "other_forward"
        case egress
        case ipv6
        case invalid

        var drop: String { "counter name \(rawValue) drop" }
    }

    package static let table = "drawbridge"
    /// The verdict map whose elements are the leases of the VPN gate.
    package static let gateMap = "gate"
    package static let vpnToLANChain = "vpn_to_lan"
    package static let lanToVPNChain = "lan_to_vpn"
    /// The set of cloud addresses that the resolver has opened.
    package static let cloudSet = "cloud"
    /// Conntrack's mark of a connection that was begun to an open cloud address.
    package static let cloudMark = "0x64620001"
    /// Most cloud addresses open at a time.
    package static let cloudAddressesMax = 1024
    /// The gate needs two elements; a refresh holds each of them twice for a moment.
    package static let gateElementsMax = 16

    package let chains: [Chain]

    /// Nothing passes but loopback: for a start without a usable config (§2.1).
    package static let denyAll = Ruleset(
        chains: [
            Chain(name: vpnToLANChain, rules: [Counter.vpnToLAN.drop]),
            Chain(name: lanToVPNChain, rules: [Counter.lanToVPN.drop]),
            Chain(
                name: "input", hook: .input,
                rules: [#"iifname "lo" accept"#, Counter.otherToRouter.drop]),
            Chain(name: "forward", hook: .forward, rules: [Counter.otherForward.drop]),
            Chain(
                name: "output", hook: .output,
                rules: [#"oifname "lo" accept"#, Counter.egress.drop]),
        ])

    package init(for policy: FirewallPolicy) {
        chains = [
            Chain(name: Self.vpnToLANChain, rules: Self.vpnToLAN(policy)),
            Chain(name: Self.lanToVPNChain, rules: Self.lanToVPN(policy)),
            Chain(name: "input", hook: .input, rules: Self.input(policy)),
            Chain(name: "forward", hook: .forward, rules: Self.forward(policy)),
            Chain(name: "output", hook: .output, rules: Self.output(policy)),
        ]
    }

    private init(chains: [Chain]) {
        self.chains = chains
    }

    /// Goes with the first text that a process loads: what an earlier one has opened under a policy that
    /// may have been another, cloud addresses for up to a day and the gate, is closed in the same step.
    package static let forgetOpenings =
        "flush set inet \(table) \(cloudSet)\nflush map inet \(table) \(gateMap)\n"

    /// The transaction for `nft -f -` (nft 1.0.6).
    package var text: String {
        var lines = [
            "add table inet \(Self.table)", "flush table inet \(Self.table)",
            "table inet \(Self.table) {",
        ]
        for counter in Counter.allCases { lines += ["\tcounter \(counter.rawValue) {", "\t}"] }
        lines += [
            "\tset \(Self.cloudSet) {", "\t\ttype ipv4_addr", "\t\tflags timeout",
            "\t\tsize \(Self.cloudAddressesMax)", "\t}",
            "\tmap \(Self.gateMap) {", "\t\ttype ifname . ifname : verdict", "\t\tflags timeout",
            "\t\tsize \(Self.gateElementsMax)", "\t}",
        ]
        for chain in chains {
            lines.append("\tchain \(chain.name) {")
            if let hook = chain.hook {
                lines.append("\t\ttype filter hook \(hook.rawValue) priority filter; policy drop;")
            }
            lines += chain.rules.map { "\t\t" + $0 }
            lines.append("\t}")
        }
        lines.append("}")
        return lines.map { $0 + "\n" }.joined()
    }
}

extension Ruleset {
    /// §2.2: what is sent to the router itself.
    private static func input(_ policy: FirewallPolicy) -> [String] {
        let wan = set(policy.uplinks.map(\.interface).map(quoted))
        let lan = quoted(policy.lan.interface)
        let dialled = set(policy.uplinks.map(\.interface).map(quoted) + [lan])
        let dhcp = set(policy.uplinks.filter(\.usesDHCP).map(\.interface).map(quoted))
        var rules = [
            #"iifname "lo" accept"#,
            "meta nfproto ipv6 \(Counter.ipv6.drop)",
            "ct state invalid \(Counter.invalid.drop)",
        ]
        if let dialled {
            // Replies only: not what somebody else began, before these rules were there.
            rules.append("iifname \(dialled) ct direction reply ct state established accept")
            rules.append(
                "iifname \(dialled) meta l4proto icmp ct direction reply ct state related accept")
        }
        if let dhcp { rules.append("iifname \(dhcp) udp sport 67 udp dport 68 accept") }
        if let page = policy.page {
            rules.append(
                "iifname \(lan) ip saddr \(policy.lan.network) ip daddr \(page.address) "
                    + "tcp dport \(page.port) ct direction original ct state new,established accept"
            )
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
    private static func forward(_ policy: FirewallPolicy) -> [String] {
        let wan = set(policy.uplinks.map(\.interface).map(quoted))
        let lan = quoted(policy.lan.interface)
        var rules: [String] = []
        if policy.vpn != nil { rules.append("iifname . oifname vmap @\(gateMap)") }
        rules.append("meta nfproto ipv6 \(Counter.ipv6.drop)")
        if let wan {
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
    private static func vpnToLAN(_ policy: FirewallPolicy) -> [String] {
        guard let vpn = policy.vpn else { return [Counter.vpnToLAN.drop] }
        let pair = "ip saddr \(vpn.network) ip daddr \(policy.lan.network)"
        return [
            "\(pair) ct direction original ct state new,established accept",
            "\(pair) meta l4proto icmp ct direction original ct state related accept",
            Counter.vpnToLAN.drop,
        ]
    }

    /// §2.4: what the machines answer to a remote user while the gate is open.
    private static func lanToVPN(_ policy: FirewallPolicy) -> [String] {
        guard let vpn = policy.vpn else { return [Counter.lanToVPN.drop] }
        let pair = "ip saddr \(policy.lan.network) ip daddr \(vpn.network)"
        return [
            "\(pair) ct direction reply ct state established accept",
            "\(pair) meta l4proto icmp ct direction reply ct state related accept",
            Counter.lanToVPN.drop,
        ]
    }

    /// §2.5: what the router itself sends.
    private static func output(_ policy: FirewallPolicy) -> [String] {
        let wan = set(policy.uplinks.map(\.interface).map(quoted))
        let dhcp = set(policy.uplinks.filter(\.usesDHCP).map(\.interface).map(quoted))
        let ports = set(
            policy.cloudPorts.map { "\($0.transport.rawValue) . \($0.port)" })
        let machines = set(policy.machines.map { "\($0.address) . \($0.port)" })
        var rules = [#"oifname "lo" accept"#, "meta nfproto ipv6 \(Counter.ipv6.drop)"]
        for uplink in policy.uplinks {
            guard let targets = set(uplink.probeTargets.sorted().map(\.description)) else {
                continue
            }
            rules.append(
                "oifname \(quoted(uplink.interface)) ip daddr \(targets) "
                    + "icmp type echo-request accept")
        }
        if let wan {
            if let servers = set(policy.nameServers.sorted().map(\.description)) {
                rules.append(
                    "oifname \(wan) ip daddr \(servers) "
                        + "meta l4proto . th dport { tcp . 53, udp . 53 } accept")
            }
            if let servers = set(policy.timeServers.sorted().map(\.description)) {
                rules.append("oifname \(wan) ip daddr \(servers) udp dport 123 accept")
            }
        }
        if let dhcp { rules.append("oifname \(dhcp) udp sport 68 udp dport 67 accept") }
        if let machines {
            rules.append(
                "oifname \(quoted(policy.lan.interface)) ip daddr . tcp dport \(machines) accept")
        }
        if let page = policy.page {
            rules.append(
                "oifname \(quoted(policy.lan.interface)) ip saddr \(page.address) ip daddr "
                    + "\(policy.lan.network) tcp sport \(page.port) ct direction reply "
                    + "ct state established accept")
        }
        if let wan, let ports {
            let cloud = "meta l4proto . th dport \(ports)"
            rules.append(
                "oifname \(wan) ip daddr @\(cloudSet) \(cloud) ct mark set \(cloudMark) accept")
            // A live connection outlasts the time its address was open for. One that a program had begun
            // before these rules, to whomever, has no mark.
            rules.append(
                "oifname \(wan) \(cloud) ct mark \(cloudMark) "
                    + "ct direction original ct state established accept")
        }
        return rules + [Counter.egress.drop]
    }

    private static func quoted(_ interface: InterfaceName) -> String { "\"\(interface)\"" }

    /// An anonymous nft set without repetitions; nil when it would be empty.
    private static func set(_ members: [String]) -> String? {
        var unique: [String] = []
        for member in members where !unique.contains(member) { unique.append(member) }
        return unique.isEmpty ? nil : "{ \(unique.joined(separator: ", ")) }"
    }
}
