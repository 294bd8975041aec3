import Base
import Settings

/// What crosses between LAN and WAN, when the config opens it (§2.7).
extension Ruleset {
    /// TCP's segments fit the way in both directions, whatever is opened: many hosts never hear of a smaller MTU, and
    /// the router tells only those on the LAN (`tooBig`).
    static func clamping(_ policy: FirewallPolicy, _ wan: String) -> [String] {
        guard policy.joinsLANAndWAN else { return [] }
        let lan = quoted(policy.lan.interface)
        let clamp = "tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu"
        return [
            "iifname \(lan) oifname \(wan) ip saddr \(policy.lan.network) \(clamp)",
            "iifname \(wan) oifname \(lan) ip daddr \(policy.lan.network) \(clamp)",
        ]
    }

    /// The one ICMP error that the router sends (§2.5). The kernel sends it before it asks the rules whether the packet may
    /// pass: only connections with our mark have passed before, so nobody else hears of the router.
    static func tooBig(_ policy: FirewallPolicy) -> [String] {
        guard policy.joinsLANAndWAN, !policy.uplinks.isEmpty else { return [] }
        let mask = ConnectionMark.hex(ConnectionMark.baseMask)
        let base = ConnectionMark.hex(ConnectionMark.base)
        return [
            "oifname \(quoted(policy.lan.interface)) ip daddr \(policy.lan.network) "
                + "icmp type destination-unreachable icmp code frag-needed ct state related "
                + "ct mark & \(mask) == \(base) accept"
        ]
    }

    /// The machines' connections to the WAN, and what is answered to them.
    static func lanToWAN(_ policy: FirewallPolicy, _ wan: String) -> [String] {
        guard let there = destinations(policy) else { return [] }
        let lan = quoted(policy.lan.interface)
        let out = "iifname \(lan) oifname \(wan) ip saddr \(policy.lan.network)"
        let back = "iifname \(wan) oifname \(lan) ip daddr \(policy.lan.network)"
        let outward = there.map { "ip daddr \($0)" }.joined(separator: " ")
        let inward = there.map { "ip saddr \($0)" }.joined(separator: " ")
        let begins =
            "iifname \(lan) ip saddr \(policy.lan.network) \(outward) "
            + "ct direction original ct state new,established"
        return ConnectionMark.lanToWAN.accepting(policy, begins) + [
            "\(out) \(outward) meta l4proto icmp ct direction original ct state related accept",
            "\(back) \(inward) ct direction reply ct state established accept",
            "\(back) meta l4proto icmp ct direction reply ct state related accept",
        ]
    }

    /// What may never be forwarded is dropped here, because the routing rules (§2.3) would drop it uncounted;
    /// what the forward chain is to judge gets the mark that they let pass.
    static func marks(_ policy: FirewallPolicy) -> [String] {
        let lan = quoted(policy.lan.interface)
        let behind = [policy.lan] + (policy.vpn.map { [$0] } ?? [])
        let networks = behind.map(\.network.description).joined(separator: ", ")
        // Not the router itself, nor broadcasts: those are the input chain's affair.
        let through = "fib daddr type unicast"
        let wan = set(policy.uplinks.map(\.interface).map(quoted))
        var rules: [String] = []
        // An exception from the WAN may name the machines themselves: then the forward chain counts.
        let reachesMachines = policy.openings.allowed.contains { $0.from == .wan && $0.to == .lan }
        if let wan, !reachesMachines {
            // Replies to the machines still have the router's address here: they are translated later.
            rules.append(
                "iifname \(wan) ip daddr { \(networks) } \(through) \(Counter.wanToLAN.drop)")
        }
        if let vpn = policy.vpn {
            rules.append(
                "iifname \(quoted(vpn.interface)) ip daddr != \(remoteDestinations(policy)) \(through) "
                    + Counter.otherForward.drop)
        }
        guard let wan, policy.joinsLANAndWAN else {
            return rules + [
                "iifname \(lan) ip daddr != { \(networks) } \(through) \(Counter.lanToWAN.drop)"
            ]
        }
        let mark = ConnectionMark.hex(ConnectionMark.forwarded)
        return rules + [wan, lan].map { "iifname \($0) meta mark set \(mark)" }
    }

    /// How machines hear that a connection to the WAN has ended with its uplink (§4.7): the daemon's question, and the kernel's
    /// reset.
    static func endingConnections(_ policy: FirewallPolicy, _ begins: String) -> [String] {
        guard policy.joinsLANAndWAN, !policy.uplinks.isEmpty else { return [] }
        let way = "oifname \(quoted(policy.lan.interface))"
        let mark = ConnectionMark.hex(ConnectionMark.question)
        return [
            "\(way) \(begins)ip daddr \(policy.lan.network) meta mark \(mark) "
                + "tcp flags & (fin | syn | rst | ack) == syn accept",
            "\(way) ip daddr \(policy.lan.network) tcp flags & rst == rst ct state related accept",
        ]
    }

    /// The machines appear on the WAN under the router's own address there, and remote users on the LAN if the
    /// config says so: for machines that know no way back.
    static func sourceNAT(_ policy: FirewallPolicy) -> [String] {
        var rules: [String] = []
        let leaves =
            policy.openings.lanToWAN != .neither
            || policy.openings.allowed.contains { $0.from == .lan && $0.to == .wan }
        if leaves, let wan = set(policy.uplinks.map(\.interface).map(quoted)) {
            rules.append("oifname \(wan) ip saddr \(policy.lan.network) masquerade")
        }
        if policy.openings.hidesVPN, let vpn = policy.vpn {
            rules.append(
                "oifname \(quoted(policy.lan.interface)) ip saddr \(vpn.network) masquerade")
        }
        return rules
    }

    /// Conditions on the other end's address, all of which must hold; nil: nobody.
    private static func destinations(_ policy: FirewallPolicy) -> [String]? {
        let own =
            [policy.lan.network.description] + (policy.vpn.map { [$0.network.description] } ?? [])
        let notOwn = "!= { \(own.joined(separator: ", ")) }"
        let privates = FirewallPolicy.privateNetworks.joined(separator: ", ")
        let specials = FirewallPolicy.specialNetworks.joined(separator: ", ")
        return switch policy.openings.lanToWAN {
        case .neither: nil
        case .private: ["{ \(privates) }", notOwn]
        case .public: ["!= { \(privates) }", "!= { \(specials) }", notOwn]
        case .both: ["!= { \(specials) }", notOwn]
        }
    }
}
