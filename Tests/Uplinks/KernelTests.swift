import Base
import Linux
import TestSupport
import Testing
import Uplinks

/// The real ports against the kernel, in namespaces of the test's own.
@Suite(
    "Uplinks and the kernel", .enabled(if: NetworkNamespace.isAvailable), .timeLimit(.minutes(2)))
struct KernelTests {
    private func plan(_ network: TestNetwork, carrying: Int) async throws -> RoutePlan {
        RoutePlan(
            interfaces: TestNetwork.interfaces,
            paths: try await [network.path(0), network.path(1), network.path(2)],
            carrying: carrying)
    }

    /// Carries a plan out; it must then be content.
    private func settle(_ plan: RoutePlan, _ network: TestNetwork) async throws {
        try await network.routes.apply(plan.changes(from: try await network.routes.read()))
        let rest = plan.changes(from: try await network.routes.read())
        #expect(rest.isEmpty)
    }

    @Test("interfaces, addresses and gateways are read as they are")
    func reads() async throws {
        let network = try await TestNetwork()
        try await network.ip("addr add 10.1.0.77/24 dev eth0")
        try await network.ip("addr add 169.254.7.7/16 dev eth0 scope link")
        try await network.ip("route add default via 10.1.0.99 dev eth0 metric 50")
        let view = try await network.routes.read()
        let eth0 = try #require(view.link(named: "eth0"))
        #expect(eth0.isEnabled && eth0.hasCarrier && eth0.needsGateway)
        let addresses = view.addresses.filter { $0.interfaceIndex == eth0.index }
        #expect(addresses.map(\.address.description) == ["10.1.0.2"])
        #expect(addresses.map(\.network.description) == ["10.1.0.0/24"])
        let path = try view.path(over: "eth0", gateway: nil)
        #expect(path.gateway == IPv4Address("10.1.0.99"))
        #expect(throws: NoPath(reason: "interface eth9 does not exist")) {
            try view.path(over: "eth9", gateway: nil)
        }
    }

    @Test("the plan is carried out, and `ip` sees what it says")
    func appliesPlan() async throws {
        let network = try await TestNetwork()
        try await settle(try await plan(network, carrying: 0), network)
        #expect(
            try await network.defaults() == ["default via 10.1.0.1 dev eth0 proto 219 metric 1"])
        for number in 0..<3 {
            let name = TestNetwork.interfaces[number]
            let table = try await network.ip("route show table \(1000 + number)")
            #expect(table.hasPrefix("default via 10.\(number + 1).0.1 dev \(name) proto 219"))
            // What is bound to a standby uplink takes its own way.
            let way = try await network.ip("route get 1.1.1.1 oif \(name)")
            #expect(way.contains("via 10.\(number + 1).0.1 dev \(name)"))
            let own = try await network.ip("route get 1.1.1.1 from 10.\(number + 1).0.2")
            #expect(own.contains("dev \(name)"))
        }
        // Connected networks are reached directly from every source.
        let direct = try await network.ip("route get 10.2.0.9 from 10.1.0.2")
        #expect(direct.contains("dev wlan0"))

        try await settle(try await plan(network, carrying: 2), network)
        #expect(
            try await network.defaults() == ["default via 10.3.0.1 dev wwan0 proto 219 metric 1"])
    }

    @Test("others' default routes stay, but ours comes first")
    func others() async throws {
        let network = try await TestNetwork()
        try await network.ip("route add default via 10.1.0.1 dev eth0")
        try await network.ip("route add default via 10.2.0.1 dev wlan0 metric 100")
        let others = [
            "default via 10.1.0.1 dev eth0", "default via 10.2.0.1 dev wlan0 metric 100",
        ]
        for carrying in [1, 0, 2] {
            try await settle(try await plan(network, carrying: carrying), network)
            let defaults = try await network.defaults()
            #expect(Array(defaults.dropFirst()) == others)
            let way = try await network.ip("route get 1.1.1.1")
            #expect(way.contains("dev \(TestNetwork.interfaces[carrying])"))
        }
        // Somebody puts theirs before ours.
        try await network.ip("route prepend default via 10.2.0.1 dev wlan0")
        try await settle(try await plan(network, carrying: 2), network)
        #expect(try await network.defaults().first?.contains("dev wwan0 proto 219") == true)
        // A DHCP client that adds a route without metric succeeds once no other has none.
        try await network.ip("route del default via 10.1.0.1 dev eth0")
        try await network.ip("route del default via 10.2.0.1 dev wlan0 metric 0")
        try await settle(try await plan(network, carrying: 2), network)
        try await network.ip("route add default via 10.1.0.1 dev eth0")
        try await settle(try await plan(network, carrying: 2), network)
        #expect(try await network.ip("route get 1.1.1.1").contains("dev wwan0"))
    }

    @Test("a gateway outside the interface's network is refused, and the error says so")
    func badGateway() async throws {
        let network = try await TestNetwork()
        let route = DefaultRoute(
            interfaceIndex: try await network.path(0).interfaceIndex,
            gateway: IPv4Address("172.16.0.1"), metric: 1)
        let error = try await #require(throws: SystemError.self) {
            try await network.routes.apply([.setDefault(route)])
        }
        #expect(error.description.hasPrefix("cannot set the default route via 172.16.0.1"))
        // What is already there or gone is no failure.
        let rule = PolicyRule(priority: 20_000, match: .specificRoutes, table: 254)
        try await network.routes.apply([
            .addRule(rule), .addRule(rule), .deleteRule(rule), .deleteRule(rule),
            .deleteDefault(route),
        ])
    }

    @Test("a pulled cable, a new address and a deleted route are noticed")
    func notices() async throws {
        let network = try await TestNetwork()
        try await settle(try await plan(network, carrying: 0), network)
        try await quiet(network)

        let eth0 = try #require(try await network.routes.read().link(named: "eth0")).index
        try await network.isp(0, "link set up0 down")
        // By name of the interface, before anything is read.
        var silent: Set<Int32> = []
        while !silent.contains(eth0) { silent = try await network.routes.waitForChange() }
        #expect(silent == [eth0])
        try await eventually("eth0 has lost its carrier") {
            try await network.routes.read().link(named: "eth0")?.hasCarrier == false
        }
        try await quiet(network)
        try await network.ip("addr add 10.9.0.2/24 dev wlan0")
        try await network.routes.waitForChange()
        try await quiet(network)
        try await network.ip("route del default")
        try await network.routes.waitForChange()
        try await quiet(network)
        try await network.ip("rule del priority 20010")
        try await network.routes.waitForChange()
    }

    @Test("routes to other places are none of our business")
    func ignoresOtherRoutes() async throws {
        let network = try await TestNetwork()
        try await quiet(network)
        try await network.ip("route add 172.16.0.0/12 via 10.1.0.1")
        #expect(try await isQuiet(network))
    }

    /// Reads notifications until there are no more.
    private func quiet(_ network: TestNetwork) async throws {
        while try await !isQuiet(network) {}
    }

    private func isQuiet(_ network: TestNetwork) async throws -> Bool {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await network.routes.waitForChange()
                return false
            }
            group.addTask {
                try await Task.sleep(for: .milliseconds(100))
                return true
            }
            let first = try await group.next() ?? true
            group.cancelAll()
            return first
        }
    }

    @Test("each uplink's probes take its own way and are answered, also with a strict rp_filter")
    func probes() async throws {
        let network = try await TestNetwork()
        for name in TestNetwork.interfaces + ["all"] {
            try await network.set("ipv4/conf/\(name)/rp_filter", "1")
        }
        try await settle(try await plan(network, carrying: 2), network)
        let target = try #require(IPv4Address("1.1.1.1"))
        for number in 0..<3 {
            let path = try await network.path(number)
            for sequence: UInt16 in [0, 1, 65_535] {
                try network.prober.send(
                    Probe(uplink: number, path: path, target: target, sequence: sequence))
                let answers = try await network.prober.answers(on: number)
                #expect(answers.map(\.source) == [target])
                #expect(answers.map(\.sequence) == [sequence])
            }
        }
    }

    @Test("a probe socket follows its interface to a new index and a new address")
    func recreated() async throws {
        let network = try await TestNetwork()
        let target = try #require(IPv4Address("1.1.1.1"))
        func probe(_ sequence: UInt16) async throws -> [ProbeAnswer] {
            try await settle(try await plan(network, carrying: 0), network)
            try network.prober.send(
                Probe(
                    uplink: 1, path: try await network.path(1), target: target, sequence: sequence))
            return try await network.prober.answers(on: 1)
        }
        #expect(try await probe(1).map(\.sequence) == [1])
        let before = try await network.path(1)
        try await network.ip("link del wlan0")
        let error = #expect(throws: SystemError.self) {
            try network.prober.send(
                Probe(uplink: 1, path: before, target: target, sequence: 2))
        }
        #expect(error?.description.hasPrefix("cannot send a probe to 1.1.1.1: ") == true)
        try await network.connect(1)
        try await eventually("it is back") { try await network.path(1) != before }
        #expect(try await probe(3).map(\.sequence) == [3])
        try await network.ip("addr del 10.2.0.2/24 dev wlan0")
        try await network.ip("addr add 10.2.0.200/24 dev wlan0")
        #expect(try await probe(4).map(\.sequence) == [4])
    }

    @Test("an interface that is not there is named when a probe is sent")
    func missingInterface() async throws {
        let network = try await TestNetwork()
        var path = try await network.path(0)
        path.interface = "eth9"
        let error = try #require(throws: SystemError.self) {
            try network.prober.send(
                Probe(
                    uplink: 0, path: path, target: IPv4Address(value: 0x0101_0101), sequence: 0))
        }
        #expect(error.description == "cannot bind probe socket to eth9: No such device")
    }
}
