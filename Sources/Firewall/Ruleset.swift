package import Base
import Settings

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
        case uplinksCut = "uplinks_cut"

        var drop: String { "counter name \(rawValue) drop" }
    }

    package static let table = "drawbridge"
    /// The set whose elements, pairs of interfaces, are the leases of the VPN gate. No verdict map: the kernel would check
    /// all rules anew with each renewal, for a jump in a circle.
    package static let vpnGateSet = "vpn_gate"
    /// The set whose elements, the uplinks' interfaces, are the leases of the uplinks (§2.11).
    package static let uplinkGateSet = "uplink_gate"
    package static let vpnToLANChain = "vpn_to_lan"
    package static let lanToVPNChain = "lan_to_vpn"
    /// The set of cloud addresses that the resolver has opened.
    package static let cloudSet = "cloud"
    /// The table that marks what may pass the gate, and that ends with the daemon.
    package static let grantTable = "drawbridge-grant"
    /// The mark of a packet that `grantTable` lets pass.
    package static let grantMark: UInt32 = 0x6462_00ff
    /// Most cloud addresses open at a time.
    package static let cloudAddressesMax = 1024
    /// The gate needs two elements; a refresh holds each of them twice for a moment.
    package static let gateElementsMax = 16
    /// Eight uplinks, each twice for a moment.
    package static let uplinkGateElementsMax = 32

    package let chains: [Chain]
    /// The exceptions, and the counters of port forwards and of translations by their place in the config.
    package let exceptions: [ExceptionSet]
    package let forwardCounters: [String]
    /// Whether the kernel keeps a sample of what is refused.
    var notesRefused = false

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
        ] + crossings(marks: [], destinationNAT: [], sourceNAT: []))

    package init(for policy: FirewallPolicy) {
        exceptions = ExceptionSet.sets(policy.openings.allowed)
        forwardCounters =
            policy.openings.forwards.indices.map { Self.forwardCounter($0) }
            + Self.translationCounters(policy)
        chains =
            [
                Chain(name: Self.vpnToLANChain, rules: Self.vpnToLAN(policy)),
                Chain(name: Self.lanToVPNChain, rules: Self.lanToVPN(policy)),
                Chain(name: "input", hook: .input, rules: Self.input(policy, exceptions)),
                Chain(name: "forward", hook: .forward, rules: Self.forward(policy, exceptions)),
                Chain(name: "output", hook: .output, rules: Self.output(policy, exceptions)),
            ]
            + Self.crossings(
                marks: Self.marks(policy),
                destinationNAT: Self.countingFlows(policy) + Self.translatingInward(policy)
                    + Self.destinationNAT(policy),
                sourceNAT: Self.translatingOutward(policy) + Self.sourceNAT(policy),
                notingRefused: true)
        notesRefused = true
    }

    /// They stand also when they are empty: a base chain is never deleted.
    private static func crossings(
        marks: [String], destinationNAT: [String], sourceNAT: [String],
        notingRefused: Bool = false
    ) -> [Chain] {
        [
            Chain(name: "marks", hook: .prerouting, rules: marks),
            Chain(name: "destination_nat", hook: .destinationNAT, rules: destinationNAT),
            Chain(name: "source_nat", hook: .sourceNAT, rules: sourceNAT),
        ] + triedChains.map { Chain(name: trialName($0), rules: []) }
            + refusedChains(noting: notingRefused)
    }

    init(chains: [Chain], exceptions: [ExceptionSet] = [], forwardCounters: [String] = []) {
        self.chains = chains
        self.exceptions = exceptions
        self.forwardCounters = forwardCounters
    }

    /// The name of a port forward's counter.
    package static func forwardCounter(_ number: Int) -> String { "forward_\(number)" }

    /// Goes with the first text that a process loads: what an earlier one has opened under a policy that
    /// may have been another, cloud addresses for up to a day and the gate, is closed in the same step.
    package static let forgetOpenings =
        "flush set inet \(table) \(cloudSet)\nflush set inet \(table) \(vpnGateSet)\n"
        + "flush set inet \(table) \(uplinkGateSet)\n"

    /// Goes with the text when only the list of cloud names has changed: the gate stays as it is.
    package static let forgetAddresses = "flush set inet \(table) \(cloudSet)\n"

    /// The transaction for `nft -f -` (nft 1.0.6). `now`: nil while the clock is not known to be right.
    package func text(
        at now: WallTime? = nil, _ zone: WeeklyHours.Zone = { _ in 0 }
    ) -> String {
        var lines = [
            "add table inet \(Self.table)", "flush table inet \(Self.table)",
            "table inet \(Self.table) {",
        ]
        for counter in Counter.allCases.map(\.rawValue) + Self.flowCounters + forwardCounters {
            lines += ["\tcounter \(counter) {", "\t}"]
        }
        lines += [
            "\tset \(Self.cloudSet) {", "\t\ttype ipv4_addr", "\t\tflags timeout",
            "\t\tsize \(Self.cloudAddressesMax)", "\t}",
            "\tset \(Self.vpnGateSet) {", "\t\ttype ifname . ifname", "\t\tflags timeout",
            "\t\tsize \(Self.gateElementsMax)", "\t}",
            "\tset \(Self.uplinkGateSet) {", "\t\ttype ifname", "\t\tflags timeout",
            "\t\tsize \(Self.uplinkGateElementsMax)", "\t}",
        ]
        for name in Self.triedChains.map(Self.trialName) {
            lines += ["\tmap \(name) {", "\t\ttype nf_proto : verdict", "\t\tflags timeout", "\t}"]
        }
        for set in exceptions { lines += set.declaration }
        lines += refusedSets
        for chain in chains {
            lines.append("\tchain \(chain.name) {")
            if let hook = chain.hook {
                lines.append("\t\t" + hook.declaration)
            }
            lines += chain.rules.map { "\t\t" + written($0) }
            lines.append("\t}")
        }
        lines.append("}")
        for set in exceptions { lines += set.filling(at: now, zone) }
        return lines.map { $0 + "\n" }.joined()
    }
}
