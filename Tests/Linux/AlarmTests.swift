import Base
import Linux
import Testing

@Suite("Alarm", .timeLimit(.minutes(1)))
struct AlarmTests {
    private let alarm = Alarm()
    private static func soon(_ delay: Duration) -> Instant { SystemClock().now() + delay }

    /// Waits in a task of its own, most likely already when this returns.
    private func waiting() async throws -> Task<Instant, any Error> {
        let task = Task { [alarm] in
            try await alarm.wait()
            return SystemClock().now()
        }
        try await Task.sleep(for: .milliseconds(20))
        return task
    }

    /// When it rang; the end of the test's time ends the wait, too.
    private func end(of task: Task<Instant, any Error>) async throws -> Instant {
        try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    @Test("rings at the moment that was set before anybody waited")
    func setBefore() async throws {
        let due = Self.soon(.milliseconds(30))
        alarm.set(due)
        #expect(try await end(of: waiting()) >= due)
    }

    @Test("an earlier moment counts at once for who waits already")
    func earlier() async throws {
        alarm.set(Self.soon(.seconds(600)))
        let rung = try await waiting()
        let due = Self.soon(.milliseconds(20))
        alarm.set(due)
        #expect(try await end(of: rung) >= due)
    }

    @Test("a later moment counts instead of the first; none at all is set again")
    func later() async throws {
        alarm.set(Self.soon(.seconds(2)))
        let rung = try await waiting()
        let due = Self.soon(.milliseconds(2200))
        alarm.set(due)
        #expect(try await end(of: rung) >= due)
        alarm.set(nil)
        let again = try await waiting()
        let next = Self.soon(.milliseconds(10))
        alarm.set(next)
        #expect(try await end(of: again) >= next)
    }

    @Test("until it is set anew it rings at once")
    func past() async throws {
        alarm.set(Self.soon(.milliseconds(-1)))
        try await alarm.wait()
        try await alarm.wait()
    }

    @Test("who is cancelled waits no more, and the next one may wait")
    func cancelled() async throws {
        let rung = try await waiting()
        rung.cancel()
        await #expect(throws: CancellationError.self) { try await end(of: rung) }
        let next = try await waiting()
        alarm.set(Self.soon(.zero))
        _ = try await end(of: next)
    }

    @Test("moved from many threads it rings in the end, and not before the last moment")
    func manyMoves() async throws {
        let rung = try await waiting()
        let last = Self.soon(.milliseconds(100))
        await withDiscardingTaskGroup { group in
            for number in 1...1000 {
                group.addTask { [alarm] in alarm.set(last + .milliseconds(number)) }
            }
        }
        alarm.set(last)
        #expect(try await end(of: rung) >= last)
    }
}
