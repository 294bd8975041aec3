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

    package enum Hook: CaseIterable, Sendable {
        case input, forward, output
        /// Before the route is chosen, behind conntrack.
        case prerouting
        case destinationNAT, sourceNAT

        /// Those whose rules let pass what may.
        package static let filters: [Hook] = [.input, .forward, .output]

        /// The base chain's type, hook, priority and policy.
        var declaration: String {
            switch self {
            case .input: "type filter hook input priority filter; policy drop;"
            case .forward: "type filter hook forward priority filter; policy drop;"
            case .output: "type filter hook output priority filter; policy drop;"
            case .prerouting: "type filter hook prerouting priority mangle; policy accept;"
            case .destinationNAT: "type nat hook prerouting priority dstnat; policy accept;"
            case .sourceNAT: "type nat hook postrouting priority srcnat; policy accept;"
            }
        }
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
        ] + crossings(marks: [], sourceNAT: []))

    package init(for policy: FirewallPolicy) {
        chains =
            [
                Chain(name: Self.vpnToLANChain, rules: Self.vpnToLAN(policy)),
                Chain(name: Self.lanToVPNChain, rules: Self.lanToVPN(policy)),
                Chain(name: "input", hook: .input, rules: Self.input(policy)),
                Chain(name: "forward", hook: .forward, rules: Self.forward(policy)),
                Chain(name: "output", hook: .output, rules: Self.output(policy)),
            ] + Self.crossings(marks: Self.marks(policy), sourceNAT: Self.sourceNAT(policy))
    }

    /// They stand also when they are empty: a base chain is never deleted.
    private static func crossings(marks: [String], sourceNAT: [String]) -> [Chain] {
        [
            Chain(name: "marks", hook: .prerouting, rules: marks),
            Chain(name: "destination_nat", hook: .destinationNAT, rules: []),
            Chain(name: "source_nat", hook: .sourceNAT, rules: sourceNAT),
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
                lines.append("\t\t" + hook.declaration)
            }
            lines += chain.rules.map { "\t\t" + $0 }
            lines.append("\t}")
        }
        lines.append("}")
        return lines.map { $0 + "\n" }.joined()
    }
}
