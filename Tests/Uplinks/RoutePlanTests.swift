import Base
import Testing
import Uplinks

@Suite("Route plan")
struct RoutePlanTests {
    static let office = UplinkPath(
        interface: "eth0", interfaceIndex: 2, address: IPv4Address(value: 0x0a01_0002),
        gateway: IPv4Address(value: 0x0a01_0001))
    static let lte = UplinkPath(
        interface: "wwan0", interfaceIndex: 4, address: IPv4Address(value: 0x0a03_0002),
        gateway: nil)

    private func plan(_ paths: [UplinkPath?], carrying: Int?) -> RoutePlan {
        RoutePlan(interfaces: ["eth0", "wwan0"], paths: paths, carrying: carrying)
    }

    /// Our default route over a path.
    private func main(_ path: UplinkPath, metric: UInt32 = 1) -> DefaultRoute {
        DefaultRoute(
            interfaceIndex: path.interfaceIndex, gateway: path.gateway, metric: metric)
    }

    /// What is done to the main table.
    private func mainChanges(_ plan: RoutePlan, _ defaults: [DefaultRoute]) -> [RouteChange] {
        plan.changes(from: NetworkView(defaults: defaults)).filter { change in
            switch change {
            case .setDefault(let route), .prependDefault(let route), .deleteDefault(let route):
                route.table == DefaultRoute.mainTable
            case .addRule, .deleteRule: false
            }
        }
    }

    @Test("an empty kernel gets one default route, a table for each path, and the rules")
    func fromScratch() {
        let changes = plan([Self.office, nil], carrying: 0).changes(from: NetworkView())
        #expect(
            changes == [
                .prependDefault(main(Self.office)),
                .setDefault(
                    DefaultRoute(
                        table: 1000, interfaceIndex: 2, gateway: Self.office.gateway, metric: 0)),
                .addRule(PolicyRule(priority: 20_000, match: .specificRoutes, table: 254)),
                .addRule(
                    PolicyRule(priority: 20_010, match: .output(interface: "eth0"), table: 1000)),
                .addRule(
                    PolicyRule(
                        priority: 9000, match: .markSpecificRoutes(0x64620100), table: 254)),
                .addRule(PolicyRule(priority: 9001, match: .mark(0x64620100), table: 1000)),
                .addRule(
                    PolicyRule(priority: 20_020, match: .source(Self.office.address), table: 1000)),
                .addRule(
                    PolicyRule(priority: 20_011, match: .output(interface: "wwan0"), table: 1001)),
                .addRule(
                    PolicyRule(
                        priority: 9002, match: .markSpecificRoutes(0x64620200), table: 254)),
                .addRule(PolicyRule(priority: 9003, match: .mark(0x64620200), table: 1001)),
            ])
    }

    @Test("a switch replaces the route in one step")
    func replaces() {
        #expect(
            mainChanges(plan([Self.office, Self.lte], carrying: 1), [main(Self.office)])
                == [.setDefault(main(Self.lte))])
    }

    @Test("behaviour 4.7: the table of an uplink without a link leads over the one that carries")
    func tableFollows() {
        func table(_ path: UplinkPath) -> DefaultRoute {
            DefaultRoute(
                table: 1000, interfaceIndex: path.interfaceIndex, gateway: path.gateway, metric: 0)
        }
        let view = NetworkView(defaults: [main(Self.office), table(Self.office)])
        func routes(_ plan: RoutePlan, _ view: NetworkView) -> [RouteChange] {
            plan.changes(from: view).filter {
                if case .setDefault(let route) = $0 { route.table == 1000 } else { false }
            }
        }
        #expect(
            routes(plan([nil, Self.lte], carrying: 1), view) == [.setDefault(table(Self.lte))])
        // Nobody else: what is there stays. Its link is back: its own again.
        #expect(routes(plan([nil, nil], carrying: 0), view).isEmpty)
        let moved = NetworkView(defaults: [main(Self.lte), table(Self.lte)])
        #expect(
            routes(plan([Self.office, Self.lte], carrying: 1), moved)
                == [.setDefault(table(Self.office))])
        #expect(routes(plan([nil, Self.lte], carrying: 1), moved).isEmpty)
    }

    @Test("nothing carries, or its path is gone: what is there stays")
    func keepsTheLast() {
        #expect(mainChanges(plan([Self.office, nil], carrying: nil), [main(Self.lte)]) == [])
        #expect(mainChanges(plan([nil, Self.lte], carrying: 0), [main(Self.office)]) == [])
    }

    @Test("others' default routes are left, but outranked")
    func others() {
        var other = main(Self.office, metric: 100)
        other.isOurs = false
        #expect(
            mainChanges(plan([Self.office, Self.lte], carrying: 1), [other])
                == [.prependDefault(main(Self.lte))])
        // One without metric comes before everything but a route that stands before it.
        other.metric = 0
        #expect(
            mainChanges(
                plan([Self.office, Self.lte], carrying: 1), [other, main(Self.lte)])
                == [
                    .prependDefault(main(Self.lte, metric: 0)), .deleteDefault(main(Self.lte)),
                ])
        #expect(
            mainChanges(
                plan([Self.office, Self.lte], carrying: 0), [main(Self.lte, metric: 0), other])
                == [.setDefault(main(Self.office, metric: 0))])
        // Somebody put theirs before ours.
        #expect(
            mainChanges(
                plan([Self.office, Self.lte], carrying: 1), [other, main(Self.lte, metric: 0)])
                == [
                    .deleteDefault(main(Self.lte, metric: 0)),
                    .prependDefault(main(Self.lte, metric: 0)),
                ])
        // It is gone: metric 0 is free again for whoever adds a route without metric.
        #expect(
            mainChanges(plan([Self.office, Self.lte], carrying: 1), [main(Self.lte, metric: 0)])
                == [
                    .prependDefault(main(Self.lte)), .deleteDefault(main(Self.lte, metric: 0)),
                ])
    }

    @Test("a changed address moves its rule; a missing one keeps it")
    func staleRules() {
        let full = plan([Self.office, nil], carrying: 0)
        var view = NetworkView()
        for case .addRule(let rule) in full.changes(from: view) { view.rules.append(rule) }
        #expect(
            plan([nil, nil], carrying: nil).changes(from: view) == [])
        var moved = Self.office
        moved.address.value += 7
        let rules = plan([moved, nil], carrying: nil).changes(from: view).filter {
            if case .setDefault = $0 { false } else { true }
        }
        #expect(
            rules == [
                .addRule(PolicyRule(priority: 20_020, match: .source(moved.address), table: 1000)),
                .deleteRule(
                    PolicyRule(priority: 20_020, match: .source(Self.office.address), table: 1000)),
            ])
    }

    @Test(
        "a path needs an interface, a carrier, an address and a gateway, and says what is missing")
    func paths() throws {
        let gateway = Self.office.gateway
        let network = try #require(CIDR("10.1.0.0/24"))
        func reason(_ view: NetworkView) -> String? {
            do throws(NoPath) {
                _ = try view.path(over: "eth0", gateway: nil)
                return nil
            } catch {
                return error.reason
            }
        }
        var view = NetworkView()
        #expect(reason(view) == "interface eth0 does not exist")
        view.links = [.init(index: 2, name: "eth0", isEnabled: false, hasCarrier: false)]
        #expect(reason(view) == "interface eth0 is switched off")
        view.links[0].isEnabled = true
        #expect(reason(view) == "no carrier")
        view.links[0].hasCarrier = true
        #expect(reason(view) == "eth0 has no IPv4 address")
        view.addresses = [
            .init(interfaceIndex: 2, address: Self.office.address, network: network)
        ]
        #expect(
            reason(view) == "no gateway known for eth0: none configured, none from DHCP")
        view.links[0].needsGateway = false
        #expect(reason(view) == nil)
        view.links[0].needsGateway = true
        // Ours is not a source of knowledge, DHCP's is.
        var route = DefaultRoute(interfaceIndex: 2, gateway: gateway, metric: 1)
        view.defaults = [route]
        #expect(reason(view) != nil)
        route.isOurs = false
        view.defaults = [route]
        #expect(try view.path(over: "eth0", gateway: nil) == Self.office)
    }

    @Test("of several addresses the gateway's neighbour is the source")
    func sourceAddress() throws {
        let view = NetworkView(
            links: [.init(index: 2, name: "eth0")],
            addresses: try ["192.168.0.5", "10.1.0.2"].map {
                let address = try #require(IPv4Address($0))
                return .init(
                    interfaceIndex: 2, address: address,
                    network: try #require(CIDR(containing: address, prefixLength: 24)))
            })
        let path = try view.path(over: "eth0", gateway: Self.office.gateway)
        #expect(path.address == Self.office.address)
    }
}
