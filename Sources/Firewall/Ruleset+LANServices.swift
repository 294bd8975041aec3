import Base
import Settings

/// What programs of the router serve to the machines (§2.2): the questions, and the answers only.
extension Ruleset {
    static func lanServicesAsked(_ policy: FirewallPolicy) -> [String] {
        let lan = "iifname \(quoted(policy.lan.interface))"
        return policy.lanServices.map { service in
            switch service {
            // Who has no address yet asks from 0.0.0.0, and everybody.
            case .dhcp: "\(lan) udp sport 68 udp dport 67 accept"
            case .ntp:
                "\(lan) ip saddr \(policy.lan.network) udp dport 123 ct direction original "
                    + "ct state new,established accept"
            }
        }
    }

    static func lanServicesAnswer(_ policy: FirewallPolicy) -> [String] {
        let lan = "oifname \(quoted(policy.lan.interface))"
        return policy.lanServices.map { service in
            switch service {
            // An answer to everybody is no reply to conntrack.
            case .dhcp: "\(lan) udp sport 67 udp dport 68 accept"
            case .ntp:
                "\(lan) ip daddr \(policy.lan.network) udp sport 123 ct direction reply "
                    + "ct state established accept"
            }
        }
    }
}
