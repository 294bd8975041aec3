import Base
import Settings

/// Exceptions from the config (§2.7): one look-up for a new connection, however many there are.
extension Ruleset {
    /// What a set compares: the sender, the receiver and the service of a connection's first direction.
    private static func key(_ set: ExceptionSet) -> String {
        (set.hasMAC ? "ether saddr . " : "") + "ip saddr . ip daddr . meta l4proto . th dport"
    }

    /// The same as seen from the other end.
    private static let reverseKey = "ip daddr . ip saddr . meta l4proto . th sport"

    private static let begins = "ct direction original ct state new,established"
    private static let answers = "ct direction reply ct state established"

    /// Between LAN and WAN, both directions, and the port forwards.
    static func exceptionsThrough(
        _ policy: FirewallPolicy, _ exceptions: [ExceptionSet], _ wan: String
    ) -> [String] {
        let lan = quoted(policy.lan.interface)
        let (outward, inward) = ("iifname \(lan) oifname \(wan)", "iifname \(wan) oifname \(lan)")
        var rules: [String] = []
        for set in exceptions where set.from != .router && set.to != .router {
            let isOutward = set.from == .lan
            rules += ConnectionMark.exception.accepting(
                policy, by: isOutward ? "oifname" : "iifname",
                "\(isOutward ? "iifname" : "oifname") \(lan) \(begins) \(key(set)) @\(set.name)")
            // With the same look-up, an exception that is taken away ends its connections. The sender's
            // hardware address is in no reply.
            let reply =
                set.hasMAC ? ConnectionMark.exception.match : "\(reverseKey) @\(set.name)"
            rules.append("\(isOutward ? inward : outward) \(answers) \(reply) accept")
        }
        rules += forwards(policy, outward)
        guard !rules.isEmpty else { return [] }
        let errors = "meta l4proto icmp ct state related \(ConnectionMark.exception.match) accept"
        return rules + ["\(outward) \(errors)", "\(inward) \(errors)"]
    }

    /// The forwarded ports, after their translation.
    private static func forwards(_ policy: FirewallPolicy, _ outward: String) -> [String] {
        let lan = quoted(policy.lan.interface)
        return policy.openings.forwards.flatMap { forward in
            let machine = "ip daddr \(forward.machine)"
            let port = "\(forward.port.transport.rawValue) dport \(forward.machinePort)"
            let source = forward.source.map { "ip saddr \($0) " } ?? ""
            let receiver = forward.source.map { "ip daddr \($0) " } ?? ""
            return ConnectionMark.exception.accepting(
                policy, by: "iifname",
                "oifname \(lan) \(begins) ct status dnat \(source)\(machine) \(port)"
            ) + [
                "\(outward) \(answers) ct status dnat \(receiver)ip saddr \(forward.machine) "
                    + "\(forward.port.transport.rawValue) sport \(forward.machinePort) accept"
            ]
        }
    }

    /// The forwarded ports, before their translation: only to an address of the router itself.
    static func destinationNAT(_ policy: FirewallPolicy) -> [String] {
        guard let wan = set(policy.uplinks.map(\.interface).map(quoted)) else { return [] }
        return policy.openings.forwards.enumerated().map { number, forward in
            let source = forward.source.map { "ip saddr \($0) " } ?? ""
            return "iifname \(wan) fib daddr type local \(source)"
                + "\(forward.port.transport.rawValue) dport \(forward.port.port) "
                + "counter name \(forwardCounter(number)) "
                + "dnat ip to \(forward.machine):\(forward.machinePort)"
        }
    }

    /// To the router itself.
    static func exceptionsToRouter(
        _ policy: FirewallPolicy, _ exceptions: [ExceptionSet]
    ) -> [String] {
        exceptions.compactMap { set in
            guard set.to == .router, let side = interfaces(set, policy) else { return nil }
            return "iifname \(side) \(begins) \(key(set)) @\(set.name) "
                + "ct mark set \(ConnectionMark.hex(ConnectionMark.exception.rawValue)) accept"
        }
    }

    /// The router's answers to them.
    static func repliesOfRouter(
        _ policy: FirewallPolicy, _ exceptions: [ExceptionSet]
    ) -> [String] {
        exceptions.compactMap { set in
            guard set.to == .router, let side = interfaces(set, policy) else { return nil }
            let reply =
                set.hasMAC ? ConnectionMark.exception.match : "\(reverseKey) @\(set.name)"
            return "oifname \(side) \(answers) \(reply) accept"
        }
    }

    private static func interfaces(_ exceptions: ExceptionSet, _ policy: FirewallPolicy) -> String?
    {
        exceptions.from == .lan
            ? quoted(policy.lan.interface) : set(policy.uplinks.map(\.interface).map(quoted))
    }
}
