/// One order to the kernel's routing tables.
package enum RouteChange: Hashable, Sendable {
    /// Creates the route, or replaces the first one of the same table and metric in one step.
    case setDefault(DefaultRoute)
    /// Creates the route before others of the same table and metric, which stay.
    case prependDefault(DefaultRoute)
    case deleteDefault(DefaultRoute)
    case addRule(PolicyRule)
    case deleteRule(PolicyRule)
}

/// How the routing tables shall look: compared with how they do look, it says what to change.
///
/// - The main table has a default route of ours over the carrying uplink, before everybody else's.
/// - Each uplink has a table of its own, in which its probes and what is sent from its address find
///   their way whichever uplink carries (and a strict `rp_filter` finds the way back).
/// - Others' routes and rules are left alone.
package struct RoutePlan: Equatable, Sendable {
    /// Interface names by preference, also those that do not exist.
    package var interfaces: [String]
    /// The ways out by preference; nil while there is none.
    package var paths: [UplinkPath?]
    package var carrying: Int?

    /// The table of uplink 0; the others follow.
    package static let firstTable: UInt32 = 1000
    /// Most uplinks: their rules have this much room in the priorities.
    package static let uplinksMax = 8
    private static let specificRoutesPriority: UInt32 = 20_000
    private static let outputPriority: UInt32 = 20_010
    private static let sourcePriority: UInt32 = 20_020
    /// Before the firewall's routing rules, which know no uplinks.
    private static let markPriority: UInt32 = 9_000
    /// The metric of our default route, unless that is not low enough.
    private static let usualMetric: UInt32 = 1

    package init(interfaces: [String], paths: [UplinkPath?], carrying: Int?) {
        precondition(interfaces.count == paths.count && paths.count <= Self.uplinksMax)
        self.interfaces = interfaces
        self.paths = paths
        self.carrying = carrying
    }

    /// What is to be done, the carrying route first; empty if all is as it shall be.
    package func changes(from view: NetworkView) -> [RouteChange] {
        mainChanges(view) + tableChanges(view) + ruleChanges(view)
    }

    /// Never leaves the main table without the route that is there: the new one comes before the old one goes.
    private func mainChanges(_ view: NetworkView) -> [RouteChange] {
        guard let carrying, let path = paths[carrying] else { return [] }
        let present = view.defaults.lazy.filter { $0.table == DefaultRoute.mainTable }
        // A route without metric (ifupdown, dhclient) outranks every metric: then ours has none either,
        // and stands before it. Otherwise metric 0 stays free for them, whose `add` would fail on it.
        let isOutranked = present.contains { !$0.isOurs && $0.metric <= Self.usualMetric }
        let wanted = DefaultRoute(
            interfaceIndex: path.interfaceIndex, gateway: path.gateway,
            metric: isOutranked ? 0 : Self.usualMetric)
        let stale = present.filter { $0.isOurs && $0.metric != wanted.metric }
        var changes: [RouteChange] = []
        if present.first(where: { $0.metric == wanted.metric }) != wanted {
            let rivals = Array(present.filter { $0.metric == wanted.metric })
            let replaces = rivals.first?.isOurs ?? false
            // Ours behind another one is of no use, and in the way of its like.
            changes += rivals.dropFirst(replaces ? 1 : 0).filter(\.isOurs).map {
                .deleteDefault($0)
            }
            changes.append(replaces ? .setDefault(wanted) : .prependDefault(wanted))
        }
        return changes + stale.map { .deleteDefault($0) }
    }

    private func tableChanges(_ view: NetworkView) -> [RouteChange] {
        paths.enumerated().compactMap { number, path in
            let table = Self.firstTable + UInt32(number)
            let present = view.defaults.first { $0.table == table }
            // Without a link it leads over the one that carries: connections that are marked for it go that way at once,
            // instead of out of a dead cable until they are forgotten.
            let instead = present.flatMap { _ in carrying.flatMap { paths[$0] } }
            guard let path = path ?? instead else { return nil }
            let wanted = DefaultRoute(
                table: table, interfaceIndex: path.interfaceIndex, gateway: path.gateway, metric: 0)
            return present == wanted ? nil : .setDefault(wanted)
        }
    }

    private func ruleChanges(_ view: NetworkView) -> [RouteChange] {
        var wanted = [
            // Connected networks and the like hold for every source: only the way out is the uplink's own.
            PolicyRule(
                priority: Self.specificRoutesPriority, match: .specificRoutes,
                table: DefaultRoute.mainTable)
        ]
        wanted.reserveCapacity(1 + 4 * interfaces.count)
        /// Priorities of rules that stay as they are: the uplink's address is not known just now.
        var kept: [UInt32] = []
        for (number, interface) in interfaces.enumerated() {
            let offset = UInt32(number)
            wanted.append(
                PolicyRule(
                    priority: Self.outputPriority + offset, match: .output(interface: interface),
                    table: Self.firstTable + offset))
            // A connection stays on the uplink that it began on.
            let mark = FlowRules.mark(number)
            wanted.append(
                PolicyRule(
                    priority: Self.markPriority + 2 * offset, match: .markSpecificRoutes(mark),
                    table: DefaultRoute.mainTable))
            wanted.append(
                PolicyRule(
                    priority: Self.markPriority + 2 * offset + 1, match: .mark(mark),
                    table: Self.firstTable + offset))
            if let path = paths[number] {
                wanted.append(
                    PolicyRule(
                        priority: Self.sourcePriority + offset, match: .source(path.address),
                        table: Self.firstTable + offset))
            } else {
                kept.append(Self.sourcePriority + offset)
            }
        }
        let missing = wanted.filter { !view.rules.contains($0) }
        // All that are there, too, are wanted.
        if missing.isEmpty, view.rules.count == wanted.count { return [] }
        let stale = view.rules.filter { !wanted.contains($0) && !kept.contains($0.priority) }
        return missing.map { .addRule($0) } + stale.map { .deleteRule($0) }
    }
}
