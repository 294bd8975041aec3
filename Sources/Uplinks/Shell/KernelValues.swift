import Base
import Linux

// Between the kernel's words and the room's.

extension NetworkView.Link {
    init(_ link: Rtnl.Link) {
        self.init(
            index: link.index, name: link.name, isEnabled: link.isEnabled,
            hasCarrier: link.isRunning && link.isLowerUp, needsGateway: !link.isPointToPoint)
    }
}

extension NetworkView.Address {
    /// nil for what an uplink cannot use: addresses of narrow scope, and secondary ones.
    init?(_ address: Rtnl.Address) {
        guard address.isGlobal, !address.isSecondary,
            let network = CIDR(
                containing: address.address, prefixLength: Int(address.prefixLength))
        else { return nil }
        self.init(
            interfaceIndex: address.interfaceIndex, address: address.address, network: network)
    }
}

extension DefaultRoute {
    /// nil for anything but a unicast default route over one interface.
    init?(_ route: Rtnl.Route) {
        guard route.kind == Rtnl.Route.unicast, route.destinationLength == 0,
            let index = route.interfaceIndex
        else { return nil }
        self.init(
            table: route.table, interfaceIndex: index, gateway: route.gateway,
            metric: route.metric, isOurs: route.routeProtocol == KernelRoutes.routeProtocol)
    }
}

extension Rtnl.Route {
    init(_ route: DefaultRoute) {
        self.init(
            table: route.table, routeProtocol: KernelRoutes.routeProtocol,
            gateway: route.gateway, interfaceIndex: route.interfaceIndex, metric: route.metric)
    }
}

extension PolicyRule {
    /// nil for others' rules.
    init?(_ rule: Rtnl.Rule) {
        guard rule.ruleProtocol == KernelRoutes.routeProtocol else { return nil }
        let match: Match
        if let interface = rule.outputInterface {
            match = .output(interface: interface)
        } else if let source = rule.source {
            match = .source(source)
        } else if let mark = rule.mark {
            match = rule.suppressedPrefixLength == nil ? .mark(mark) : .markSpecificRoutes(mark)
        } else {
            match = .specificRoutes
        }
        self.init(priority: rule.priority, match: match, table: rule.table)
    }
}

extension Rtnl.Rule {
    init(_ rule: PolicyRule) {
        self.init(
            priority: rule.priority, table: rule.table, ruleProtocol: KernelRoutes.routeProtocol)
        switch rule.match {
        case .specificRoutes: suppressedPrefixLength = 0
        case .output(let interface): outputInterface = interface
        case .source(let address): source = address
        case .mark(let value):
            mark = value
            markMask = FlowRules.markMask
        case .markSpecificRoutes(let value):
            mark = value
            markMask = FlowRules.markMask
            suppressedPrefixLength = 0
        }
    }
}
