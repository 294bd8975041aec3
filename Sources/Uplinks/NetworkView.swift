package import Base

/// What the kernel says about interfaces, addresses, default routes and our rules, at one moment.
package struct NetworkView: Equatable, Sendable {
    package struct Link: Equatable, Sendable {
        package var index: Int32
        package var name: String
        /// Switched on by the administrator.
        package var isEnabled: Bool
        package var hasCarrier: Bool
        /// Whether a route needs a next hop: not so on a point-to-point link.
        package var needsGateway: Bool

        package init(
            index: Int32, name: String, isEnabled: Bool = true, hasCarrier: Bool = true,
            needsGateway: Bool = true
        ) {
            self.index = index
            self.name = name
            self.isEnabled = isEnabled
            self.hasCarrier = hasCarrier
            self.needsGateway = needsGateway
        }
    }

    package struct Address: Equatable, Sendable {
        package var interfaceIndex: Int32
        package var address: IPv4Address
        package var network: CIDR

        package init(interfaceIndex: Int32, address: IPv4Address, network: CIDR) {
            self.interfaceIndex = interfaceIndex
            self.address = address
            self.network = network
        }
    }

    package var links: [Link]
    /// Primary addresses of global scope, in the kernel's order.
    package var addresses: [Address]
    /// In the kernel's order: of those with the same table and metric the first one counts.
    package var defaults: [DefaultRoute]
    /// Only those that carry our protocol number.
    package var rules: [PolicyRule]

    package init(
        links: [Link] = [], addresses: [Address] = [], defaults: [DefaultRoute] = [],
        rules: [PolicyRule] = []
    ) {
        self.links = links
        self.addresses = addresses
        self.defaults = defaults
        self.rules = rules
    }

    package func link(named name: String) -> Link? { links.first { $0.name == name } }
}

/// A default route (`0.0.0.0/0`) of some table.
package struct DefaultRoute: Hashable, Sendable {
    package var table: UInt32
    package var interfaceIndex: Int32
    /// nil on point-to-point links.
    package var gateway: IPv4Address?
    package var metric: UInt32
    /// It carries our protocol number.
    package var isOurs: Bool

    /// `RT_TABLE_MAIN`
    package static let mainTable: UInt32 = 254

    package init(
        table: UInt32 = mainTable, interfaceIndex: Int32, gateway: IPv4Address?, metric: UInt32,
        isOurs: Bool = true
    ) {
        self.table = table
        self.interfaceIndex = interfaceIndex
        self.gateway = gateway
        self.metric = metric
        self.isOurs = isOurs
    }
}

/// A routing rule of ours (`ip rule`): what it matches, and the table that it looks into.
package struct PolicyRule: Hashable, Sendable {
    package enum Match: Hashable, Sendable {
        /// Everything, but default routes of the table do not count (`suppress_prefixlength 0`).
        case specificRoutes
        /// What a socket bound to this interface sends.
        case output(interface: String)
        case source(IPv4Address)
        /// Packets whose mark, under `FlowRules.markMask`, has this value.
        case mark(UInt32)
        /// The same, but default routes of the table do not count.
        case markSpecificRoutes(UInt32)
    }
    /// Lower ones come first; the kernel's rule for the main table has 32766.
    package var priority: UInt32
    package var match: Match
    package var table: UInt32

    package init(priority: UInt32, match: Match, table: UInt32) {
        self.priority = priority
        self.match = match
        self.table = table
    }
}

/// The way out over one uplink.
package struct UplinkPath: Hashable, Sendable {
    package var interface: String
    package var interfaceIndex: Int32
    package var address: IPv4Address
    /// nil on point-to-point links.
    package var gateway: IPv4Address?

    package init(
        interface: String, interfaceIndex: Int32, address: IPv4Address, gateway: IPv4Address?
    ) {
        self.interface = interface
        self.interfaceIndex = interfaceIndex
        self.address = address
        self.gateway = gateway
    }
}

/// Why there is no way out over an uplink, in words.
package struct NoPath: Error, Equatable, Sendable {
    package var reason: String

    package init(reason: String) {
        self.reason = reason
    }
}

extension NetworkView {
    /// The way out over an interface: through `gateway`, or else through the one that others' default route names.
    package func path(over interface: String, gateway configured: IPv4Address?) throws(NoPath)
        -> UplinkPath
    {
        guard let link = link(named: interface) else {
            throw NoPath(reason: "interface \(interface) does not exist")
        }
        guard link.isEnabled else {
            throw NoPath(reason: "interface \(interface) is switched off")
        }
        guard link.hasCarrier else { throw NoPath(reason: "no carrier") }
        let own = addresses.filter { $0.interfaceIndex == link.index }
        guard let first = own.first else {
            throw NoPath(reason: "\(interface) has no IPv4 address")
        }
        let gateway = configured ?? learnedGateway(of: link.index)
        guard gateway != nil || !link.needsGateway else {
            throw NoPath(
                reason: "no gateway known for \(interface): none configured, none from DHCP")
        }
        let best = own.first { address in gateway.map { address.network.contains($0) } ?? true }
        return UplinkPath(
            interface: interface, interfaceIndex: link.index, address: (best ?? first).address,
            gateway: gateway)
    }

    private func learnedGateway(of index: Int32) -> IPv4Address? {
        defaults.first { route in
            route.table == DefaultRoute.mainTable && route.interfaceIndex == index
                && !route.isOurs && route.gateway != nil
        }?.gateway
    }
}
