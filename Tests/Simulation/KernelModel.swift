import Base
import TestSupport
import Uplinks

/// The kernel's routing tables, as far as the plan knows them: an ordered list of default routes, and rules.
struct KernelModel {
    private(set) var view: NetworkView

    init() {
        view = NetworkView()
        for uplink in 0..<3 {
            let index = Int32(uplink + 2)
            view.links.append(.init(index: index, name: UplinkWeather.names[uplink]))
            guard let address = IPv4Address("10.\(uplink + 1).0.2"),
                let network = CIDR(containing: address, prefixLength: 24)
            else { preconditionFailure("an address") }
            view.addresses.append(
                .init(interfaceIndex: index, address: address, network: network))
        }
    }

    func gateway(_ uplink: Int) -> IPv4Address? { IPv4Address("10.\(uplink + 1).0.1") }

    mutating func plug(_ uplink: Int, _ isPlugged: Bool) {
        view.links[uplink].hasCarrier = isPlugged
    }

    /// The main table's default routes, the one that counts first.
    var mainRoutes: [DefaultRoute] {
        view.defaults.filter { $0.table == DefaultRoute.mainTable }
    }

    mutating func apply(_ change: RouteChange) throws(Violation) {
        switch change {
        case .setDefault(let route):
            if let index = view.defaults.firstIndex(where: { $0.isRival(of: route) }) {
                guard view.defaults[index].isOurs else {
                    throw Violation("replaces somebody else's route: \(view.defaults[index])")
                }
                view.defaults[index] = route
            } else {
                insert(route)
            }
        case .prependDefault(let route):
            guard !view.defaults.contains(route) else { throw Violation("adds \(route) twice") }
            insert(route)
        case .deleteDefault(let route):
            guard route.isOurs, let index = view.defaults.firstIndex(of: route) else {
                throw Violation("deletes \(route), which is not ours or not there")
            }
            view.defaults.remove(at: index)
        case .addRule(let rule):
            guard !view.rules.contains(rule) else { throw Violation("adds \(rule) twice") }
            view.rules.append(rule)
        case .deleteRule(let rule):
            view.rules.removeAll { $0 == rule }
        }
    }

    /// Before all others of its table and metric; the kernel keeps a table in order of metrics.
    private mutating func insert(_ route: DefaultRoute) {
        let index = view.defaults.firstIndex { other in
            other.table > route.table
                || (other.table == route.table && other.metric >= route.metric)
        }
        view.defaults.insert(route, at: index ?? view.defaults.endIndex)
    }

    /// What DHCP clients and people do to routing tables.
    mutating func meddle(using random: inout SeededGenerator) {
        let uplink = Int.random(in: 0..<3, using: &random)
        var route = DefaultRoute(
            interfaceIndex: Int32(uplink + 2), gateway: gateway(uplink), metric: 0)
        route.isOurs = false
        switch Int.random(in: 0..<5, using: &random) {
        case 0:
            view.defaults.removeAll { $0.isOurs && $0.table == DefaultRoute.mainTable }
        case 1:
            view.defaults.removeAll { !$0.isOurs }
        case 2:
            view.rules.removeAll()
        case 3:
            if !view.defaults.contains(route) { insert(route) }
        default:
            route.metric = 100
            if !view.defaults.contains(route) { insert(route) }
        }
    }
}

extension DefaultRoute {
    fileprivate func isRival(of other: DefaultRoute) -> Bool {
        table == other.table && metric == other.metric
    }
}
