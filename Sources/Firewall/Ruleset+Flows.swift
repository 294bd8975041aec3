import Base

/// Counters of the connections that begin, by zone (§2.10).
extension Ruleset {
    /// The zones that connections come from through an interface.
    static let flowZones: [AttackSigns.Zone] = [.wan, .lan, .vpn]

    static func flowCounter(_ measure: AttackSigns.Measure, _ zone: AttackSigns.Zone) -> String {
        "\(measure.rawValue)_\(zone.rawValue)"
    }

    static let flowCounters = flowZones.flatMap { zone in
        [AttackSigns.Measure.new, .syn].map { flowCounter($0, zone) }
    }

    /// For the chain `destination_nat`: the kernel sends only the first packet of a connection through it, so that
    /// those that follow cost nothing.
    static func countingFlows(_ policy: FirewallPolicy) -> [String] {
        var sides: [(zone: AttackSigns.Zone, interfaces: String)] = []
        if let wan = set(policy.uplinks.map(\.interface).map(quoted)) { sides.append((.wan, wan)) }
        sides.append((.lan, quoted(policy.lan.interface)))
        if let vpn = policy.vpn { sides.append((.vpn, quoted(vpn.interface))) }
        return sides.flatMap { zone, interfaces in
            [
                "iifname \(interfaces) counter name \(flowCounter(.new, zone))",
                "iifname \(interfaces) tcp flags & (fin | syn | rst | ack) == syn "
                    + "counter name \(flowCounter(.syn, zone))",
            ]
        }
    }
}
