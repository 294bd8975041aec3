import Base
import Glibc
import Linux
import Testing

@Suite("Reactor", .timeLimit(.minutes(1)))
struct ReactorTests {
    /// Two connected stream sockets.
    private final class Pair: Sendable {
        let near: FileDescriptor
        let far: FileDescriptor

        init() throws(SystemError) {
            var ends: [Int32] = [-1, -1]
            _ = try check("make a socket pair") {
                socketpair(
                    AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends)
            }
            near = FileDescriptor(owning: ends[0])
            far = FileDescriptor(owning: ends[1])
        }
    }

    private static func soon(_ delay: Duration) -> Instant { SystemClock().now() + delay }

    @Test("wakes a reader when bytes come, and not before")
    func readable() async throws {
        let pair = try Pair()
        let early = try await Reactor.shared.wait(
            for: .readable, on: pair.near.raw, until: Self.soon(.milliseconds(20)))
        #expect(early == .timedOut)
        async let outcome = Reactor.shared.wait(for: .readable, on: pair.near.raw)
        try pair.far.writeAll([1])
        #expect(try await outcome == .ready)
        #expect(try pair.near.read(atMost: 8) == [1])
    }

    @Test("a hang-up is readable")
    func hangUp() async throws {
        let pair = try Pair()
        async let outcome = Reactor.shared.wait(for: .readable, on: pair.near.raw)
        shutdown(pair.far.raw, Int32(SHUT_RDWR))
        #expect(try await outcome == .ready)
        #expect(try pair.near.read(atMost: 8) == [])
    }

    @Test("a reader and a writer may wait on the same descriptor")
    func bothDirections() async throws {
        let pair = try Pair()
        async let readable = Reactor.shared.wait(for: .readable, on: pair.near.raw)
        #expect(try await Reactor.shared.wait(for: .writable, on: pair.near.raw) == .ready)
        try pair.far.writeAll([1])
        #expect(try await readable == .ready)
    }

    @Test("a passed deadline ends the wait at once")
    func pastDeadline() async throws {
        let pair = try Pair()
        let outcome = try await Reactor.shared.wait(
            for: .readable, on: pair.near.raw, until: Self.soon(.seconds(-1)))
        #expect(outcome == .timedOut)
    }

    @Test("cancellation ends the wait, also one that has not begun")
    func cancellation() async throws {
        let pair = try Pair()
        for delay in [0, 1000, 5000] {
            let task = Task { try await Reactor.shared.wait(for: .readable, on: pair.near.raw) }
            if delay > 0 { usleep(UInt32(delay)) }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        // The descriptor is as good as new.
        try pair.far.writeAll([1])
        #expect(try await Reactor.shared.wait(for: .readable, on: pair.near.raw) == .ready)
    }

    @Test("a closed descriptor is an error, not a hang")
    func closed() async throws {
        let raw = try FileDescriptor(open: "/dev/null", flags: O_RDONLY).release()
        close(raw)
        await #expect(throws: SystemError.self) {
            try await Reactor.shared.wait(for: .readable, on: raw)
        }
    }

    @Test("a number that is reused for another descriptor is waited on anew")
    func reusedNumber() async throws {
        for _ in 0..<50 {
            let pair = try Pair()
            async let outcome = Reactor.shared.wait(
                for: .readable, on: pair.near.raw, until: Self.soon(.seconds(20)))
            try pair.far.writeAll([1])
            #expect(try await outcome == .ready)
        }
    }

    @Test("many waiters at once")
    func many() async throws {
        let pairs = try (0..<100).map { _ in try Pair() }
        let ready = try await withThrowingTaskGroup(of: Reactor.Outcome.self) { group in
            for pair in pairs {
                group.addTask {
                    try await Reactor.shared.wait(
                        for: .readable, on: pair.near.raw, until: Self.soon(.seconds(20)))
                }
            }
            for pair in pairs { try pair.far.writeAll([1]) }
            return try await group.reduce(0) { $0 + ($1 == .ready ? 1 : 0) }
        }
        #expect(ready == 100)
    }

    @Test("sleepers wake in the order of their deadlines, and none too early")
    func sleepers() async throws {
        let begun = SystemClock().now()
        let order = await withTaskGroup(of: Int.self) { group in
            for number in [3, 1, 2] {
                // On its own thread: a busy machine may wake all at once, and other threads have no order.
                group.addTask(executorPreference: Reactor.shared) {
                    let due = begun + .milliseconds(20 * number)
                    try? await Reactor.shared.sleep(until: due)
                    return SystemClock().now() < due ? -number : number
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(order == [1, 2, 3])
    }

    @Test("a sleep ends when its task is cancelled, however early, and the next one is whole")
    func cancelledSleep() async throws {
        for _ in 0..<200 {
            let task = Task { try await Reactor.shared.sleep(until: Self.soon(.seconds(60))) }
            if Bool.random() { await Task.yield() }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        let due = Self.soon(.milliseconds(20))
        try await Reactor.shared.sleep(until: due)
        #expect(SystemClock().now() >= due)
    }

    private actor Counter {
        private(set) var threads: Set<UInt> = []
        private(set) var count = 0

        func step() {
            threads.insert(UInt(pthread_self()))
            count += 1
        }
    }

    @Test("tasks that prefer it run on its one thread, and others may wake them")
    func executor() async throws {
        let counter = Counter()
        let worker = ThreadExecutor(name: "elsewhere")
        try await withTaskExecutorPreference(Reactor.shared) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        await counter.step()
                        await Elsewhere(worker).pause()
                        try await Reactor.shared.sleep(until: Self.soon(.milliseconds(5)))
                        await counter.step()
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(await counter.count == 200)
        #expect(await counter.threads.count == 1)
    }

    /// An actor on a thread of its own.
    private actor Elsewhere {
        private let executor: ThreadExecutor
        nonisolated var unownedExecutor: UnownedSerialExecutor {
            executor.asUnownedSerialExecutor()
        }
        init(_ executor: ThreadExecutor) { self.executor = executor }
        func pause() { usleep(100) }
    }
}
