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
}
