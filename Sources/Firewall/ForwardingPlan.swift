package import Base
import Settings

/// The second line, which holds without any packet filter: what the kernel's own switches and routing rules
/// leave of forwarding (`docs/behaviour.md` §2.3). A pure function of the policy.
package struct ForwardingPlan: Equatable, Sendable {
    /// One routing rule.
    package struct Rule: Hashable, Sendable {
        package enum Action: Hashable, Sendable {
            /// Looks into the main table; `onlySpecific` routes count, not the default route.
            case route(onlySpecific: Bool)
            /// Drops without a word.
            case drop
        }

        package enum Packets: Hashable, Sendable {
            /// What comes in there.
            case from(InterfaceName)
            /// TCP that no program of ours sends: the kernel answers for a port that is not open as user 0.
            case superusersTCP
        }

        package var packets: Packets
        package var to: CIDR?
        /// Only packets with the rules' own mark, which are therefore judged by them.
        package var needsMark = false
        package var action: Action

        package init(
            _ packets: Packets, to: CIDR? = nil, needsMark: Bool = false, action: Action
        ) {
            self.packets = packets
            self.to = to
            self.needsMark = needsMark
            self.action = action
        }
    }

    /// Whether the kernel forwards at all.
    package var isEnabled: Bool
    /// Interfaces from which nothing is forwarded, and those from which it is, when they exist.
    package var closed: [InterfaceName]
    package var opened: [InterfaceName]
    /// Interfaces on which a sender's address must lead back to it, and ARP answers for that address only.
    package var strict: [InterfaceName]
    /// Whether the kernel may answer pings: only when an exception lets somebody ping the router.
    package var answersPing = false
    /// In order: the first that matches decides. nil: those that stand stay.
    package var rules: [Rule]?

    /// Nothing is forwarded, and nothing is answered.
    package static let closed = ForwardingPlan(
        isEnabled: false, closed: [], opened: [], strict: [], rules: nil)

    package init(for policy: FirewallPolicy) {
        let uplinks = policy.uplinks.map(\.interface)
        let lan = policy.lan
        var rules: [Rule] = []
        if let vpn = policy.vpn {
            rules.append(
                Rule(.from(vpn.interface), to: lan.network, action: .route(onlySpecific: true)))
            rules.append(
                Rule(.from(lan.interface), to: vpn.network, action: .route(onlySpecific: true)))
        }
        if policy.joinsLANAndWAN {
            for uplink in uplinks {
                rules.append(
                    Rule(
                        .from(uplink), to: lan.network, needsMark: true,
                        action: .route(onlySpecific: true)))
            }
            rules.append(
                Rule(
                    .from(lan.interface), needsMark: true, action: .route(onlySpecific: false)))
        }
        let all = uplinks + [lan.interface] + (policy.vpn.map { [$0.interface] } ?? [])
        self.init(
            isEnabled: policy.vpn != nil || policy.joinsLANAndWAN,
            closed: policy.joinsLANAndWAN ? [] : uplinks,
            opened: policy.joinsLANAndWAN ? uplinks : [], strict: all,
            rules: rules + all.map { Rule(.from($0), action: .drop) } + Self.silence(policy))
        answersPing = policy.opensPing
    }

    /// Without the table the kernel would answer TCP to its closed ports with resets, and so tell that it is there.
    /// A service of the superuser that an exception opens must answer; when we are the superuser ourselves, so must we.
    private static func silence(_ policy: FirewallPolicy) -> [Rule] {
        let opened = policy.openings.allowed.filter { $0.to == .router }.map(\.from)
        guard !policy.agents.isEmpty, !policy.agents.contains(0), !opened.contains(.wan) else {
            return []
        }
        let answered =
            opened.contains(.lan)
            ? [
                Rule(
                    .superusersTCP, to: policy.lan.network, action: .route(onlySpecific: true))
            ] : []
        return answered + [Rule(.superusersTCP, action: .drop)]
    }

    private init(
        isEnabled: Bool, closed: [InterfaceName], opened: [InterfaceName],
        strict: [InterfaceName], rules: [Rule]?
    ) {
        self.isEnabled = isEnabled
        self.closed = closed
        self.opened = opened
        self.strict = strict
        self.rules = rules
    }
}
