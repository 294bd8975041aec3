import Base
import Linux
import Logging
import Settings
import Synchronization
import TestSupport
import Testing
import Uplinks

@Suite("Pace of the checks for login pages")
struct CheckPaceTests {
    private func at(_ seconds: Int64) -> Instant { .boot + .seconds(seconds) }

    @Test(
        "behaviour 4.13: one that flaps is asked each minute at most, one without budget each hour")
    func earliest() {
        var pace = CheckPace()
        pace.flapped()
        #expect(pace.earliest(isSpent: false) == nil)
        #expect(pace.earliest(isSpent: true) == nil)
        pace.asked(at: at(100))
        // To confirm what was found.
        #expect(pace.earliest(isSpent: false) == nil)
        #expect(pace.earliest(isSpent: true) == at(3700))
        pace.flapped()
        #expect(pace.earliest(isSpent: false) == at(160))
        #expect(pace.earliest(isSpent: true) == at(3700))
        pace.asked(at: at(160))
        #expect(pace.earliest(isSpent: false) == nil)
    }

    @Test("behaviour 4.13: a login page that nobody ever fills in takes less than 1 MB a month")
    func month() {
        var watch = PortalWatch(limits: .metered)
        var (now, checks) = (at(0), 0)
        _ = watch.standingChanged(to: .up, at: now)
        while now < at(30 * 86_400) {
            checks += 1
            _ = watch.answered(.captive("wants a login"), to: checks, at: now)
            guard let due = watch.nextWakeUp else { break }
            now = due
            _ = watch.timePassed(at: now)
        }
        // An hour apart after the first day.
        #expect((800...1000).contains(checks), "\(checks)")
    }
}

/// On the kernel: what the service makes of it.
@Suite(
    "Checks for login pages and the budget", .enabled(if: NetworkNamespace.isAvailable),
    .timeLimit(.minutes(2)), .serialized)
struct CheckBudgetTests {
    /// A guest network without end; counts who asks.
    private final class Hotel: PortalChecker {
        private let count = Mutex(0)
        var checks: Int { count.withLock { $0 } }

        func check(_ page: Settings.CheckPage, over path: UplinkPath) async -> PortalAnswer {
            count.withLock { $0 += 1 }
            return PortalAnswer(finding: .captive("wants a login"), bytes: 900)
        }
    }

    private func run(
        used: Int, _ body: @Sendable (TestNetwork, UplinksService, Hotel) async throws -> Void
    ) async throws {
        let (network, folder, hotel) = (try await TestNetwork(), try TemporaryFolder(), Hotel())
        let path = folder.path + ProbeAccount.fileName
        try SmallFile.replace(path, with: Array("2026-11 \(used) lte\n".utf8))
        var settings = UplinksServiceTests.settings
        settings[2].keepAlive.captiveCheck = .page(
            .init(
                endpoint: .init(
                    host: try #require(DomainName("connectivity.example")),
                    port: try #require(TransportPort("tcp/80"))),
                path: "/"))
        let service = UplinksService(
            uplinks: settings, prober: network.prober, routes: network.routes,
            clock: SystemClock(),
            account: ProbeAccount(path: path, wall: { BudgetServiceTests.wall }),
            checker: hotel, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            try await body(network, service, hotel)
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    @Test("behaviour 4.13: a metered uplink that flaps is not asked each time")
    func flaps() async throws {
        try await run(used: 0) { network, service, hotel in
            try await eventually("its login page is known") {
                await service.status().uplinks[2].login != nil
            }
            #expect(hotel.checks == 2)
            for _ in 0..<2 {
                try await network.isp(2, "link set up2 down")
                try await eventually("lost") { await !service.status().uplinks[2].isUp }
                try await network.isp(2, "link set up2 up")
                try await eventually("back") { await service.status().uplinks[2].isUp }
                try await Task.sleep(for: .milliseconds(500))
            }
            #expect(hotel.checks == 2)
        }
    }

    @Test(
        "behaviour 4.13: with its budget spent, a metered uplink is asked once, and then in an hour"
    )
    func spent() async throws {
        try await run(used: 6_000_000) { _, service, hotel in
            try await eventually("asked once") { hotel.checks == 1 }
            try await Task.sleep(for: .seconds(3))
            #expect(hotel.checks == 1)
            let used = await service.status().uplinks[2].budget?.used ?? 0
            #expect(used >= 6_000_900)
        }
    }
}
