import Base

/// Addresses that stand for one machine each (§2.7). They open nothing: what may pass is decided behind them, by
/// exceptions and by the gate, which see the machine's own address.
extension Ruleset {
    static func translationCounter(_ number: Int) -> String { "nat_\(number)" }

    static func translationCounters(_ policy: FirewallPolicy) -> [String] {
        policy.translations.indices.map(translationCounter)
    }

    /// Before the forwarded ports: such an address is no longer the router's own.
    static func translatingInward(_ policy: FirewallPolicy) -> [String] {
        policy.translations.enumerated().map { number, translation in
            "iifname \(quoted(translation.interface)) ip daddr \(translation.address) "
                + "counter name \(translationCounter(number)) dnat ip to \(translation.machine)"
        }
    }

    /// What the machine itself begins, before it is masqueraded.
    static func translatingOutward(_ policy: FirewallPolicy) -> [String] {
        policy.translations.enumerated().compactMap { number, translation in
            // Into the VPN nobody on the LAN begins.
            guard translation.interface != policy.vpn?.interface else { return nil }
            return "oifname \(quoted(translation.interface)) ip saddr \(translation.machine) "
                + "counter name \(translationCounter(number)) snat ip to \(translation.address)"
        }
    }

    /// Where remote users may send to, before it is translated.
    static func remoteDestinations(_ policy: FirewallPolicy) -> String {
        let stand = policy.translations.filter { $0.interface == policy.vpn?.interface }
        guard !stand.isEmpty else { return policy.lan.network.description }
        let all = [policy.lan.network.description] + stand.map(\.address.description)
        return "{ \(all.joined(separator: ", ")) }"
    }
}
