import Base

/// What is wrong inside a provider, as one value that is applied whole.
struct Faults: Equatable, Sendable {
    /// Packets vanish, in both directions; the customer's link and gateway stay up.
    var vanishesAll = false
    /// So many of 100 packets towards the customer are lost, at random.
    var lossPercent = 0
    /// Added to each packet towards the customer.
    var delay: Duration?
    var cablePulled = false
    /// Addresses whose pings are not passed on.
    var silentTargets: Set<IPv4Address> = []
    /// Pings a minute that are passed on at most, as routers do that protect themselves.
    var pingsPerMinute: Int?

    /// One nftables transaction that replaces the provider's earlier faults.
    var ruleset: String {
        var lines = ["flush chain ip isp faults"]
        if vanishesAll { lines.append("add rule ip isp faults drop") }
        for target in silentTargets.sorted(by: { $0.description < $1.description }) {
            lines.append(
                "add rule ip isp faults ip daddr \(target) icmp type echo-request drop")
        }
        if let pingsPerMinute {
            lines.append(
                "add rule ip isp faults icmp type echo-request "
                    + "limit rate over \(pingsPerMinute)/minute burst 1 packets drop")
        }
        if lossPercent > 0 {
            lines.append(
                "add rule ip isp faults iifname \"wan\" numgen random mod 100 < \(lossPercent) drop"
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
