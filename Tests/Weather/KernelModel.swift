import Base
import TestSupport
import Uplinks

/// The kernel's routing tables, as far as the plan knows them: an ordered list of default routes, and rules.
struct KernelModel {
    private(set) var view = NetworkView()
    private let sharesSubnet: Bool
    private var interfacesMade: Int32 = 2
    private var addressesGiven: UInt32 = 0
    private var knowsGateway = [true, true, true]

    /// With `sharesSubnet` the first two uplinks are in one subnet.
    init(sharesSubnet: Bool) {
        self.sharesSubnet = sharesSubnet
    }

    private func subnet(_ uplink: Int) -> UInt32 {
        0x0a00_0000 | UInt32(sharesSubnet && uplink == 1 ? 1 : uplink + 1) << 16
    }

    func path(_ uplink: Int) throws(NoPath) -> UplinkPath {
        try view.path(
            over: UplinkWeather.names[uplink],
            gateway: knowsGateway[uplink] ? gateway(uplink) : nil)
    }

    private func gateway(_ uplink: Int) -> IPv4Address {
        IPv4Address(value: subnet(uplink) | 1)
    }

    /// The index of an uplink's interface; nil: there is none.
    func index(_ uplink: Int) -> Int32? { view.link(named: UplinkWeather.names[uplink])?.index }

    /// What the kernel makes of an uplink's faults.
    mutating func update(_ uplink: Int, _ line: Line) {
        knowsGateway[uplink] = !line.has(.gatewayGone)
        let name = UplinkWeather.names[uplink]
        guard !line.has(.interfaceGone) else {
            if let index = index(uplink) {
                loseAddress(index)
                view.links.removeAll { $0.index == index }
            }
            return
        }
        if index(uplink) == nil {
            view.links.append(.init(index: interfacesMade, name: name))
            interfacesMade += 1
        }
        guard let number = view.links.firstIndex(where: { $0.name == name }) else { return }
        let index = view.links[number].index
        view.links[number].hasCarrier = !line.isUnplugged
        if line.has(.addressGone) {
            loseAddress(index)
        } else if !view.addresses.contains(where: { $0.interfaceIndex == index }) {
            addressesGiven += 1
            let address = IPv4Address(value: subnet(uplink) | (addressesGiven % 250 + 2))
            guard let network = CIDR(containing: address, prefixLength: 24) else { return }
            view.addresses.append(
                .init(interfaceIndex: index, address: address, network: network))
        }
    }

    /// With the last address of an interface its routes go.
    private mutating func loseAddress(_ index: Int32) {
        view.addresses.removeAll { $0.interfaceIndex == index }
        view.defaults.removeAll { $0.interfaceIndex == index }
    }

    /// The main table's default routes, the one that counts first.
    var mainRoutes: ArraySlice<DefaultRoute> {
        // They are in order of tables, and the main one is the first that the plan knows.
        view.defaults.prefix { $0.table == DefaultRoute.mainTable }
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
        guard let index = index(uplink) else { return }
        var route = DefaultRoute(interfaceIndex: index, gateway: gateway(uplink), metric: 0)
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
