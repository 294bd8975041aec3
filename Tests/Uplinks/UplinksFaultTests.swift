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
                state.applied += 1
                if let refusal = state.refusal { throw refusal }
            }
        }

        func waitForChange() async throws {
            let isQuarrelsome = state.withLock(\.isQuarrelsome)
            try await Task.sleep(for: isQuarrelsome ? .milliseconds(1) : .seconds(600))
        }
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
            group.cancelAll()
            try await group.waitForAll()
        }
        let periods = Int((SystemClock().now() - start).inSeconds) + 1
        #expect(routes.applied <= periods * ChangeBudget.changesMax)
        #expect(periods > 1)
    }
}
