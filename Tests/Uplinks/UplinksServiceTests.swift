import Base
import Linux
import Logging
import Settings
import TestSupport
import Testing
import Uplinks

/// The whole room on the kernel: three uplinks, real probes, real routes.
@Suite(
    "Uplinks service", .enabled(if: NetworkNamespace.isAvailable), .timeLimit(.minutes(3)),
    .serialized)
struct UplinksServiceTests {
    static let settings = TestNetwork.interfaces.enumerated().map { number, interface in
        Settings.Uplink(
            name: ["office", "wifi", "lte"][number], interface: interface,
            gateway: IPv4Address("10.\(number + 1).0.1"), usesDHCP: false, network: nil,
            keepAlive: Settings.KeepAlive(
                targets: [IPv4Address(value: 0x0101_0101), IPv4Address(value: 0x0909_0909)],
                interval: .milliseconds(100), timeout: .milliseconds(100), failures: 3,
                successes: 3))
    }

    /// Runs the service while `body` plays with the network.
    private func run(
        _ network: TestNetwork, settings: [Settings.Uplink] = settings,
        _ body: @Sendable (UplinksService) async throws -> Void
    ) async throws {
        let service = UplinksService(
            uplinks: settings,
            failover: .init(hold: .milliseconds(500), holdMax: .seconds(1)),
            prober: network.prober, routes: network.routes, clock: SystemClock(),
            gateways: network.gateways,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            try await body(service)
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private func waitFor(
        _ service: UplinksService, carrying name: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await eventually("\(name) carries", sourceLocation: sourceLocation) {
            await service.status().uplinks.first { $0.isCarrying }?.name == name
        }
    }

    private func waitUntilAllUp(_ service: UplinksService) async throws {
        try await eventually("all are up") {
            await service.status().uplinks.allSatisfy(\.isUp)
        }
    }

    private func waitForRoute(_ network: TestNetwork, _ words: String) async throws {
        try await eventually("the default route is \(words)") {
            try await network.defaults().first?.hasPrefix("default \(words)") == true
        }
    }

    @Test("a cable, a silent ISP, a fail-back: the route follows, and stays when the service stops")
    func story() async throws {
        let network = try await TestNetwork()
        try await run(network) { service in
            try await waitForRoute(network, "via 10.1.0.1 dev eth0")
            try await waitUntilAllUp(service)
            let office = try #require(await service.status().uplinks.first)
            #expect(office.isCarrying && office.hasCarrier)
            #expect(office.address == IPv4Address("10.1.0.2"))
            #expect(office.reason.hasSuffix("answered"))
            #expect((office.roundTripTime ?? .zero) > .zero)

            try await network.isp(0, "link set up0 down")
            try await waitForRoute(network, "via 10.2.0.1 dev wlan0")
            #expect(await service.status().uplinks[0].reason == "no carrier")

            try await network.blackhole(1, true)
            try await waitForRoute(network, "via 10.3.0.1 dev wwan0")
            #expect(await service.status().uplinks[1].reason.contains(" lost "))

            try await network.isp(0, "link set up0 up")
            try await waitForRoute(network, "via 10.1.0.1 dev eth0")
            #expect(await service.status().switches == 3)
        }
        try await waitForRoute(network, "via 10.1.0.1 dev eth0")
        #expect(try await network.ip("rule show").contains("lookup 1000 proto 219"))
    }

    @Test("with all ISPs silent the last route stays, and the first answer takes over")
    func allSilent() async throws {
        let network = try await TestNetwork()
        try await run(network) { service in
            try await waitUntilAllUp(service)
            for number in 0..<3 { try await network.blackhole(number, true) }
            try await eventually("all are down") {
                await service.status().uplinks.allSatisfy { $0.standing == .down }
            }
            #expect(try await network.defaults().count == 1)
            try await network.blackhole(2, false)
            try await waitForRoute(network, "via 10.3.0.1 dev wwan0")
            #expect(await service.status().uplinks[2].heldUntil == nil, "it has its turn")
        }
    }

    @Test(
        "behaviour 4.4: a restart leaves a working route, also when the first probe over it is lost"
    )
    func restart() async throws {
        let network = try await TestNetwork()
        try await run(network) { service in
            try await waitForRoute(network, "via 10.1.0.1 dev eth0")
            try await waitUntilAllUp(service)
        }
        // The target whose turn is first.
        try await network.isp(0, "addr del 1.1.1.1/32 dev lo")
        try await run(network) { service in
            try await waitUntilAllUp(service)
            let status = await service.status()
            #expect(status.switches == 0 && status.uplinks[0].isCarrying)
        }
        // Nor is one kept that is dead.
        try await network.isp(0, "addr del 9.9.9.9/32 dev lo")
        try await run(network) { service in
            try await waitForRoute(network, "via 10.2.0.1 dev wlan0")
        }
    }

    @Test("of an uplink that is down, its gateway tells where to look")
    func whoseFault() async throws {
        let network = try await TestNetwork()
        try await run(network) { service in
            try await waitUntilAllUp(service)
            try await network.blackhole(0, true)
            // It forwards nothing, and is not there itself.
            try await network.isp(1, "link set up1 arp off")
            try await network.ip("neigh flush dev wlan0")
            // Who it is, somebody has written down.
            try await network.ip("neigh replace 10.3.0.1 lladdr 02:00:00:00:00:01 dev wwan0")
            try await eventually("their network") {
                await service.status().uplinks[0].reason.hasSuffix(
                    "; its gateway 10.1.0.1 answers, the fault lies behind it")
            }
            try await eventually("our cable or modem") {
                await service.status().uplinks[1].reason.contains(
                    "; its gateway 10.2.0.1 does not answer either")
            }
            #expect(await service.status().uplinks[2].standing == .down)
            #expect(try await network.ip("neigh show 10.3.0.1").contains("02:00:00:00:00:01"))
            #expect(try await network.ip("neigh show 10.3.0.1").contains("PERMANENT"))
            try await network.blackhole(0, false)
            try await eventually("nothing is left of it") {
                let office = await service.status().uplinks[0]
                return office.isUp && !office.reason.contains("gateway")
            }
        }
    }

    @Test("a route that somebody deletes comes back")
    func reasserts() async throws {
        let network = try await TestNetwork()
        try await run(network) { service in
            try await waitUntilAllUp(service)
            try await network.ip("route del default")
            try await waitForRoute(network, "via 10.1.0.1 dev eth0")
            try await network.ip("route flush table 1001")
            try await network.ip("rule del priority 20021")
            try await eventually("table and rule are back") {
                let table = try await network.ip("route show table 1001")
                let rules = try await network.ip("rule show")
                return table.contains("via 10.2.0.1") && rules.contains("20021:")
            }
        }
    }

    @Test("an interface that does not exist is down by name, and picked up when it appears")
    func missingInterface() async throws {
        let network = try await TestNetwork()
        try await network.ip("link del eth0")
        try await run(network) { service in
            try await waitFor(service, carrying: "wifi")
            #expect(
                await service.status().uplinks[0].reason == "interface eth0 does not exist")
            try await network.connect(0)
            try await waitForRoute(network, "via 10.1.0.1 dev eth0")
            try await network.ip("link del eth0")
            try await waitForRoute(network, "via 10.2.0.1 dev wlan0")
        }
    }

    @Test("a gateway is learned from DHCP's route, a new address is announced")
    func addressChange() async throws {
        let network = try await TestNetwork()
        var settings = Self.settings
        settings[0].gateway = nil
        try await run(network, settings: settings) { service in
            try await waitFor(service, carrying: "wifi")
            #expect(await service.status().uplinks[0].reason.contains("no gateway known"))
            try await network.ip("route add default via 10.1.0.1 dev eth0")
            try await waitFor(service, carrying: "office")
            try await network.ip("addr add 10.1.0.3/24 dev eth0")
            try await network.set("ipv4/conf/eth0/promote_secondaries", "1")
            try await network.ip("addr del 10.1.0.2/24 dev eth0")
            try await eventually("the new address is used") {
                await service.status().uplinks[0].address == IPv4Address("10.1.0.3")
            }
        }
    }

    @Test("events tell selections in order")
    func events() async throws {
        let network = try await TestNetwork()
        try await run(network) { service in
            try await waitUntilAllUp(service)
            try await network.isp(0, "link set up0 down")
            try await waitFor(service, carrying: "wifi")
            var seen: [UplinkSelected] = []
            for await event in service.events {
                seen.append(event)
                if event.name == "wifi" { break }
            }
            #expect(seen.map(\.name) == ["office", "wifi"])
            #expect(seen.map { "\($0.address)" } == ["10.1.0.2", "10.2.0.2"])
        }
    }
}
