import Base
import Glibc
import Linux
import Logging
import Settings
import Synchronization
import Testing
import Uplinks

/// What the kernel does not do on demand: refusals, and a quarrel over the default route.
@Suite("Uplinks service under refusals", .timeLimit(.minutes(1)))
struct UplinksFaultTests {
    /// A routing table that refuses, or is changed by others as fast as it is put right.
    private final class FakeRoutes: RouteTable {
        private struct State {
            var refusal: (any Error)?
            var applied = 0
            var isQuarrelsome = false
            var isFulfilled = false
        }
        private let state = Mutex(State())

        var applied: Int { state.withLock(\.applied) }

        init(refusal: (any Error)? = nil, isQuarrelsome: Bool = false) {
            state.withLock {
                $0.refusal = refusal
                $0.isQuarrelsome = isQuarrelsome
            }
        }

        func relent() { state.withLock { $0.refusal = nil } }

        func read() async throws -> NetworkView {
            let network = try #require(CIDR("10.1.0.0/24"))
            return NetworkView(
                links: [.init(index: 2, name: "eth0")],
                addresses: [
                    .init(
                        interfaceIndex: 2, address: IPv4Address(value: 0x0a01_0002),
                        network: network)
                ])
        }

        func apply(_ changes: [RouteChange]) async throws {
            try state.withLock { state in
                // Once for each time that the tables are put in order: with the route that carries.
                state.applied +=
                    changes.contains { if case .prependDefault = $0 { true } else { false } }
                    ? 1 : 0
                if let refusal = state.refusal { throw refusal }
            }
        }

        func waitForChange() async throws -> Set<Int32> {
            let isQuarrelsome = state.withLock(\.isQuarrelsome)
            try await Task.sleep(for: isQuarrelsome ? .milliseconds(1) : .seconds(600))
            return []
        }
    }

    /// Two uplinks, the first of which loses its carrier when told to; notes what is asked of it.
    private final class CableTable: RouteTable {
        private struct State {
            var view = NetworkView()
            var calls: [String] = []
        }
        private let state = Mutex(State())
        let pulled = Mutex(false)
        /// Routes in this table are refused.
        private let refusedTable: UInt32?

        init(refusing table: UInt32? = nil) throws {
            refusedTable = table
            let networks = try ["10.1.0.0/24", "10.2.0.0/24"].map { try #require(CIDR($0)) }
            state.withLock { state in
                for (number, network) in networks.enumerated() {
                    let index = Int32(number + 2)
                    state.view.links.append(.init(index: index, name: ["eth0", "wlan0"][number]))
                    state.view.addresses.append(
                        .init(
                            interfaceIndex: index,
                            address: IPv4Address(value: 0x0a01_0002 + UInt32(number) << 16),
                            network: network))
                }
            }
        }

        /// Since the last call.
        func calls() -> [String] {
            state.withLock { state in
                defer { state.calls = [] }
                return state.calls
            }
        }

        func read() async throws -> NetworkView {
            state.withLock {
                $0.calls.append("read")
                return $0.view
            }
        }

        func apply(_ changes: [RouteChange]) async throws {
            try state.withLock { state in
                for change in changes {
                    switch change {
                    case .setDefault(let route) where route.table == refusedTable:
                        throw SystemError("set the default route", code: ENETUNREACH)
                    case .setDefault(let route), .prependDefault(let route):
                        state.view.defaults.removeAll {
                            $0.table == route.table && $0.metric == route.metric
                        }
                        state.view.defaults.append(route)
                        if route.table == DefaultRoute.mainTable {
                            state.calls.append("route over \(route.interfaceIndex)")
                        }
                    case .addRule(let rule): state.view.rules.append(rule)
                    case .deleteDefault, .deleteRule: break
                    }
                }
            }
        }

        func waitForChange() async throws -> Set<Int32> {
            try await Task.sleep(for: .milliseconds(20))
            guard pulled.withLock({ $0 }) else { return [] }
            pulled.withLock { $0 = false }
            state.withLock {
                $0.calls = []
                $0.view.links[0].hasCarrier = false
            }
            return [2]
        }
    }

    @Test("behaviour 4.7: with a carrier's loss the route moves before anything is read")
    func cableFirst() async throws {
        let routes = try CableTable()
        let service = UplinksService(
            uplinks: Array(UplinksServiceTests.settings.prefix(2)), prober: EagerProber(),
            routes: routes, clock: SystemClock(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            try await eventually("both are up") {
                await service.status().uplinks.allSatisfy(\.isUp)
            }
            // Until the tables are known to be in order.
            try await Task.sleep(for: .milliseconds(200))
            routes.pulled.withLock { $0 = true }
            try await eventually("the second carries") {
                await service.status().uplinks[1].isCarrying
            }
            try await Task.sleep(for: .milliseconds(50))
            group.cancelAll()
            try await group.waitForAll()
        }
        #expect(Array(routes.calls().prefix(2)) == ["route over 3", "read"])
    }

    @Test(
        "behaviour 4.7: what the kernel refuses of one uplink does not hide from the house that another carries"
    )
    func othersRefusal() async throws {
        let service = UplinksService(
            uplinks: Array(UplinksServiceTests.settings.prefix(2)), prober: EagerProber(),
            routes: try CableTable(refusing: RoutePlan.firstTable + 1), clock: SystemClock(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            var selected = service.events.makeAsyncIterator()
            #expect(await selected.next()?.name == UplinksServiceTests.settings[0].name)
            try await eventually("the refusal is told") {
                await service.status().problem?.contains("Network is unreachable") ?? false
            }
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    /// Answers every probe at once.
    private final class EagerProber: Prober {
        private let sent = Mutex<[Probe]>([])

        func send(_ probe: Probe) throws(SystemError) { sent.withLock { $0.append(probe) } }

        func answers(on uplink: Int) async throws -> [ProbeAnswer] {
            while true {
                let answers = sent.withLock { sent in
                    let mine = sent.filter { $0.uplink == uplink }
                    sent.removeAll { $0.uplink == uplink }
                    return mine.map { ProbeAnswer(source: $0.target, sequence: $0.sequence) }
                }
                if !answers.isEmpty { return answers }
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    /// Every probe is answered at once, which nobody looks at for a while.
    private final class LateProber: Prober {
        static let delay = Duration.milliseconds(300)
        private let waiting = Mutex<[(answer: ProbeAnswer, at: Instant)]>([])

        func send(_ probe: Probe) throws(SystemError) {
            let now = SystemClock().now()
            let answer = ProbeAnswer(source: probe.target, sequence: probe.sequence, arrival: now)
            waiting.withLock { $0.append((answer, now)) }
        }

        func answers(on uplink: Int) async throws -> [ProbeAnswer] {
            while true {
                let due = SystemClock().now() - Self.delay
                let answers = waiting.withLock { waiting in
                    defer { waiting.removeAll { $0.at <= due } }
                    return waiting.filter { $0.at <= due }.map { $0.answer }
                }
                if !answers.isEmpty { return answers }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    @Test("behaviour 4: a round trip ends when the answer came, not when it is looked at")
    func lateLook() async throws {
        let service = UplinksService(
            uplinks: [UplinksServiceTests.settings[0]], prober: LateProber(),
            routes: try CableTable(), clock: SystemClock(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            try await eventually("an answer was looked at") {
                await service.status().uplinks[0].roundTripTime != nil
            }
            let status = await service.status()
            let time = try #require(status.uplinks[0].roundTripTime)
            #expect(time < LateProber.delay)
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    @Test("answers that were read lie in the inbox until they are taken, so many at most")
    func inbox() {
        let inbox = Inbox(uplinks: 2)
        let answer = ProbeAnswer(source: IPv4Address(value: 1), sequence: 7)
        inbox.add([answer], to: 1)
        #expect(inbox.take(from: 0).isEmpty)
        #expect(inbox.take(from: 1) == [answer])
        #expect(inbox.take(from: 1).isEmpty)
        inbox.add(Array(repeating: answer, count: 1000), to: 0)
        inbox.add([answer], to: 0)
        #expect(inbox.take(from: 0).count == Inbox.answersMax)
    }

    /// Sends nothing, hears nothing.
    private struct DeafProber: Prober {
        func send(_ probe: Probe) throws(SystemError) {}
        func answers(on uplink: Int) async throws -> [ProbeAnswer] {
            try await Task.sleep(for: .seconds(600))
            return []
        }
    }

    private func service(_ routes: FakeRoutes) -> UplinksService {
        UplinksService(
            uplinks: [UplinksServiceTests.settings[0]], prober: DeafProber(), routes: routes,
            clock: SystemClock(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test("without the capability it ends, and says what to do")
    func noPermission() async {
        let cause = SystemError("set the default route via 10.1.0.1", code: EPERM)
        let routes = FakeRoutes(
            refusal: MissingCapability(cause: cause, capability: "CAP_NET_ADMIN"))
        let error = await #expect(throws: MissingCapability.self) {
            try await service(routes).run()
        }
        #expect(
            error?.description
                == "cannot set the default route via 10.1.0.1: Operation not permitted: "
                + "run drawbridge as root or with CAP_NET_ADMIN")
    }

    @Test("a refusal is told in the status and tried again")
    func refusal() async throws {
        let routes = FakeRoutes(
            refusal: SystemError("set the default route via 10.1.0.1", code: ENETUNREACH))
        let service = service(routes)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            try await eventually("the problem is told") {
                await service.status().problem
                    == "cannot set the default route via 10.1.0.1: Network is unreachable"
            }
            routes.relent()
            try await eventually("the problem is over") {
                await service.status().problem == nil
            }
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    @Test("a quarrel with another daemon is fought at a bounded pace")
    func quarrel() async throws {
        let routes = FakeRoutes(isQuarrelsome: true)
        let service = service(routes)
        let start = SystemClock().now()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            try await eventually("it does not give up") {
                routes.applied > 2 * ChangeBudget.changesMax
            }
            let problem = await service.status().problem ?? ""
            #expect(problem.contains("another program changes the default route"), "\(problem)")
            group.cancelAll()
            try await group.waitForAll()
        }
        let periods = Int((SystemClock().now() - start).inSeconds) + 1
        #expect(routes.applied <= periods * ChangeBudget.changesMax)
        #expect(periods > 1)
    }
}
