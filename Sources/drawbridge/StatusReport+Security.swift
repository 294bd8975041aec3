import Base
import Console
import Firewall

extension StatusReport {
    /// Most of what was refused that is told, of each zone.
    private static let refusedMax = 8

    /// Signs of an attack, and a sample of what was refused.
    func security(_ status: FirewallStatus, _ section: inout StatusDocument.Firewall) {
        let now = clock.now()
        section.signs = status.signs.map { active in
            StatusDocument.Firewall.Sign(
                zone: active.sign.zone.rawValue, measure: active.sign.measure.rawValue,
                rate: active.rate, peak: active.peak, limit: active.limit, total: active.total,
                sinceSeconds: Int(max(0, (now - active.since).inSeconds)))
        }
        let policy = house.policy.part
        section.refused = AttackSigns.Zone.allCases.flatMap { zone in
            status.refused.filter { $0.zone == zone }.prefix(Self.refusedMax)
        }.map { refused in
            StatusDocument.Firewall.Refused(
                counter: refused.counter(policy).rawValue, from: refused.source.description,
                to: refused.destination.description, service: refused.service,
                packets: refused.packets)
        }
    }
}
