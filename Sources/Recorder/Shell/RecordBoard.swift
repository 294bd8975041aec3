import Base
import Synchronization

/// What the recorder's consumer asks again and again, and who waits for records: at hand without a turn of the recorder's
/// thread, which would have to be woken for it.
final class RecordBoard: Sendable {
    /// How far the records go, as sequences.
    struct Marks: Sendable {
        var last: UInt64
        var deliverable: UInt64
        /// Up to here the consumer has everything, as the store knows.
        var cursor: UInt64
    }

    private struct Waiter {
        var after: UInt64
        /// So many records at most are handed over with the announcement.
        var limit: Int
        var announcement: AsyncStream<[Record]>.Continuation
    }

    private struct State {
        var marks: Marks
        /// Up to here the consumer has everything, as it says; the store takes it over in its next turn.
        var acknowledged: UInt64 = 0
        /// The last batch that found nothing although there should have been records: they are damaged.
        var nothing: (after: UInt64, through: UInt64) = (0, 0)
        var isClosed = false
        var waiters: [UInt64: Waiter] = [:]
        var nextWaiter: UInt64 = 0

        func hasRecords(after sequence: UInt64) -> Bool {
            let known = sequence == nothing.after ? max(sequence, nothing.through) : sequence
            return marks.deliverable > known
        }
    }

    private let state: Mutex<State>

    init(_ marks: Marks) { state = Mutex(State(marks: marks)) }

    // MARK: for the consumer, wherever it runs

    /// The newest record; it may not be on flash yet.
    var newest: UInt64 { state.withLock { $0.marks.last } }

    /// How many records the consumer does not have yet.
    var backlog: UInt64 {
        state.withLock { state in
            let has = max(state.marks.cursor, state.acknowledged)
            return state.marks.last - min(has, state.marks.last)
        }
    }

    /// The consumer has everything up to `sequence`.
    func acknowledge(through sequence: UInt64) {
        state.withLock { $0.acknowledged = max($0.acknowledged, sequence) }
    }

    /// Says once that there are records after `sequence`, and which, but `limit` at most; ends without a word if the recorder
    /// closes before; nil: there are records.
    func announcement(after sequence: UInt64, limit: Int) -> AsyncStream<[Record]>? {
        let (stream, announcement) = AsyncStream<[Record]>.makeStream(
            bufferingPolicy: .bufferingNewest(1))
        let (hasRecords, id) = state.withLock { state -> (Bool, UInt64?) in
            if state.isClosed { return (false, nil) }
            if state.hasRecords(after: sequence) { return (true, nil) }
            let id = state.nextWaiter
            state.nextWaiter += 1
            state.waiters[id] = Waiter(
                after: sequence, limit: limit, announcement: announcement)
            return (false, id)
        }
        if hasRecords { return nil }
        guard let id else {
            announcement.finish()
            return stream
        }
        announcement.onTermination = { [weak self] end in
            // Nobody waits for it any more.
            if case .cancelled = end { self?.forget(id) }
        }
        return stream
    }

    private func forget(_ id: UInt64) {
        state.withLock { $0.waiters[id] = nil }
    }

    /// How many wait for records.
    var waiting: Int { state.withLock { $0.waiters.count } }

    // MARK: for the recorder

    /// What the consumer has said that it has.
    var acknowledged: UInt64 { state.withLock { $0.acknowledged } }

    /// A batch after a sequence found no records, although some up to another one should have been there.
    func foundNothing(after sequence: UInt64, through end: UInt64) {
        state.withLock { $0.nothing = (sequence, end) }
    }

    /// How far the records go now; those who wait for some that are there are told, and given what `read` finds after a
    /// sequence, up to a limit.
    func show(_ marks: Marks, read: (UInt64, Int) -> [Record] = { _, _ in [] }) {
        let told = state.withLock { state -> [Waiter] in
            state.marks = marks
            let meant = state.waiters.filter { state.hasRecords(after: $0.value.after) }
            for id in meant.keys { state.waiters[id] = nil }
            return Array(meant.values)
        }
        for waiter in told {
            waiter.announcement.yield(
                waiter.limit > 0 ? read(waiter.after, waiter.limit) : [])
            waiter.announcement.finish()
        }
    }

    func close() {
        let left = state.withLock { state -> [Waiter] in
            state.isClosed = true
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in left { waiter.announcement.finish() }
    }
}
