import Base
import Linux
import Logging
import Settings
import TestSupport
import Testing
import Uplinks

/// Budgets on the kernel: what real probes cost, and what a restart remembers.
@Suite(
    "Probe budget", .enabled(if: NetworkNamespace.isAvailable), .timeLimit(.minutes(2)), .serialized
)
struct BudgetServiceTests {
    /// 2026-11-16 00:00: half of the month.
    static let wall = WallTime(milliseconds: 1_794_787_200_000)

    private func service(_ network: TestNetwork, _ folder: TemporaryFolder) -> UplinksService {
        UplinksService(
            uplinks: UplinksServiceTests.settings, prober: network.prober, routes: network.routes,
            clock: SystemClock(),
            account: ProbeAccount(path: folder.path + ProbeAccount.fileName, wall: { Self.wall }),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// One metered uplink, asked each second, whose traffic is watched.
    private func lteAlone(
        _ network: TestNetwork, _ account: ProbeAccount = ProbeAccount()
    ) -> UplinksService {
        var uplink = UplinksServiceTests.settings[2]
        uplink.keepAlive.interval = .seconds(1)
        uplink.keepAlive.timeout = .milliseconds(500)
        return UplinksService(
            uplinks: [uplink], prober: network.prober, routes: network.routes,
            flows: network.flows, clock: SystemClock(), account: account,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func run(
        _ service: UplinksService, _ body: @Sendable (UplinksService) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            try await body(service)
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    @Test(
        "behaviour 4.11: probes are counted, those of a metered uplink go further apart, a restart goes on counting"
    )
    func story() async throws {
        let network = try await TestNetwork()
        let folder = try TemporaryFolder()
        let path = folder.path + ProbeAccount.fileName
        try SmallFile.replace(path, with: Array("2026-11 4000000 lte\n2026-10 9 lte\n".utf8))
        try await run(service(network, folder)) { service in
            try await eventually("all are up") {
                await service.status().uplinks.allSatisfy(\.isUp)
            }
            try await Task.sleep(for: .seconds(2))
            let uplinks = await service.status().uplinks
            #expect(uplinks[0].budget == nil && uplinks[1].budget == nil)
            let lte = try #require(uplinks[2].budget)
            #expect(lte.bytes == 5_000_000)
            // 100 ms as configured; a fifth of the budget for half of the month is 93 s.
            #expect(lte.interval > .seconds(90) && lte.interval < .seconds(95))
            // Its first probe and its answer.
            #expect((4_000_072...4_000_144).contains(lte.used), "\(lte.used)")
            #expect(uplinks[0].history.count >= 15)
            #expect(uplinks[2].history.count <= 2)
        }
        let kept = try SmallFile.readText(path)
        #expect(kept.contains("2026-10 9 lte\n"))
        try await run(service(network, folder)) { service in
            try await eventually("it is counted on") {
                (await service.status().uplinks[2].budget?.used ?? 0) >= 4_000_144
            }
        }
        #expect(try SmallFile.readText(path) != kept)
    }

    @Test("behaviour 4.11: the answers to its own probes are no traffic that proves it alive")
    func ownAnswers() async throws {
        let network = try await TestNetwork()
        let service = lteAlone(network)
        try await run(service) { service in
            try await eventually("it is up") { await service.status().uplinks[0].isUp }
            // They are counted: what goes out and comes back over a proven uplink would be asked each five seconds.
            try await Task.sleep(for: .seconds(2))
            let counted = try network.flows.counts(uplinks: 1)[0]
            #expect(counted.packetsOut > 0 && counted.packetsIn > 0)
            for _ in 0..<50 {
                #expect(await service.status().uplinks[0].budget?.interval == .seconds(1))
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    @Test(
        "behaviour 4.11: what is sent and never answered does not spend a budget by one burst after the other"
    )
    func oneWayTraffic() async throws {
        let network = try await TestNetwork()
        let folder = try TemporaryFolder()
        try SmallFile.replace(
            folder.path + ProbeAccount.fileName, with: Array("2026-11 4000000 lte\n".utf8))
        let service = lteAlone(
            network,
            ProbeAccount(path: folder.path + ProbeAccount.fileName, wall: { Self.wall }))
        try await run(service) { service in
            try await eventually("it is up") { await service.status().uplinks[0].isUp }
            try await network.sendInVain(for: 8)
            // After 1, 2 and 4 s, not each second.
            #expect((2...4).contains(await service.status().uplinks[0].bursts))
            #expect(await service.status().uplinks[0].isUp)
        }
    }

    @Test(
        "behaviour 4.11: with its budget spent, a metered uplink still takes over as quickly, and is kept to"
    )
    func takesOver() async throws {
        let network = try await TestNetwork()
        let folder = try TemporaryFolder()
        try SmallFile.replace(
            folder.path + ProbeAccount.fileName, with: Array("2026-11 6000000 lte\n".utf8))
        try await run(service(network, folder)) { service in
            try await eventually("all are up") {
                await service.status().uplinks.allSatisfy(\.isUp)
            }
            let before = SystemClock().now()
            try await network.blackhole(0, true)
            try await network.blackhole(1, true)
            try await eventually("lte carries") {
                await service.status().uplinks[2].isCarrying
            }
            #expect(SystemClock().now() - before < .seconds(5))
            // The way back: silent for moments only, the first one is asked again at once.
            try await network.blackhole(1, false)
            try await eventually("wifi carries") {
                await service.status().uplinks[1].isCarrying
            }
        }
    }
}
