package import Base
import CLinux
import Glibc
import Synchronization

/// One thread in `epoll_wait` that wakes tasks when their descriptors are ready, or their time has come.
///
/// Blocking system calls must not run on Swift's cooperative pool, which is as wide as the machine:
/// a task that waits here holds no thread at all. A descriptor must stay open while a task waits on it.
///
/// A program that mostly waits gives it to `withTaskExecutorPreference`: its tasks then run on this thread, too,
/// and what wakes a task wakes no second thread. Nothing that blocks or computes for long may run there.
package final class Reactor: TaskExecutor {
    package enum Direction: Sendable {
        case readable, writable
    }

    /// Why a wait ended.
    package enum Outcome: Sendable {
        case ready, timedOut
    }

    /// The process's reactor; its thread starts at the first use.
    package static let shared = Reactor()

    struct Waiter {
        var id: UInt64
        var descriptor: Int32
        var direction: Direction
        var deadline: Instant?
        var continuation: CheckedContinuation<Outcome, any Error>
    }

    struct Sleeper {
        var id: UInt64
        var deadline: Instant
        var continuation: CheckedContinuation<Void, any Error>
    }

    struct State {
        /// A few dozen at most: searched, not sorted.
        var waiters: [Waiter] = []
        var sleepers: [Sleeper] = []
        var cancelledEarly: Set<UInt64> = []
        var armed: Set<Int32> = []

        /// The earliest deadline, or an earlier moment.
        private(set) var nextDeadline: Instant?

        /// Notes a deadline; returns whether it comes before all others.
        mutating func note(_ deadline: Instant) -> Bool {
            if let nextDeadline, nextDeadline <= deadline { return false }
            nextDeadline = deadline
            return true
        }

        /// A wait is over before its deadline: the loop need not wake for that one any more.
        mutating func forget(_ deadline: Instant?) {
            if let deadline, deadline == nextDeadline { findNextDeadline() }
        }

        // By index: an element taken out of its array to be looked at is counted, and this goes on all day.

        mutating func findNextDeadline() {
            nextDeadline = nil
            for index in sleepers.indices { _ = note(sleepers[index].deadline) }
            for index in waiters.indices {
                if let deadline = waiters[index].deadline { _ = note(deadline) }
            }
        }

        /// Removes the waiters that are meant, and hands each over.
        mutating func takeWaiters(where isMeant: (Waiter) -> Bool, each: (Waiter) -> Void) {
            for index in waiters.indices.reversed() where isMeant(waiters[index]) {
                each(waiters.remove(at: index))
            }
        }
    }

    let epoll: Int32
    let wakeUp: Int32
    let state = Mutex(State())
    private let nextID = Atomic<UInt64>(1)
    let jobs = Mutex<[UnownedJob]>([])
    /// The thread of the loop, once it runs.
    let thread = Atomic<UInt>(0)

    private init() {
        epoll = epoll_create1(O_CLOEXEC)
        wakeUp = eventfd(0, O_CLOEXEC | O_NONBLOCK)
        precondition(epoll >= 0 && wakeUp >= 0, "no descriptors left for the reactor")
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: wakeUp))
        epoll_ctl(epoll, EPOLL_CTL_ADD, wakeUp, &event)
        BlockingThread.start(name: "reactor") { self.loop() }
    }

    /// Waits until the descriptor is ready (which includes errors and hang-up) or the deadline has passed.
    ///
    /// Throws `CancellationError` when the task is cancelled.
    package func wait(
        for direction: Direction, on descriptor: Int32, until deadline: Instant? = nil
    ) async throws -> Outcome {
        let id = makeID()
        // Race: cancelled after it was woken, when nobody else takes the mark back.
        defer { _ = state.withLock { $0.cancelledEarly.remove(id) } }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let refused = state.withLock { state -> (any Error)? in
                    if state.cancelledEarly.remove(id) != nil { return CancellationError() }
                    state.waiters.append(
                        Waiter(
                            id: id, descriptor: descriptor, direction: direction,
                            deadline: deadline, continuation: continuation))
                    guard let code = arm(descriptor, &state) else {
                        if let deadline { _ = state.note(deadline) }
                        return nil
                    }
                    state.waiters.removeLast()
                    return SystemError("wait for descriptor \(descriptor)", code: code)
                }
                if let refused {
                    continuation.resume(throwing: refused)
                } else if deadline != nil {
                    wake()
                }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
                    // Race: cancelled before the wait was registered.
                    state.cancelledEarly.insert(id)
                    return nil
                }
                let waiter = state.waiters.remove(at: index)
                _ = arm(waiter.descriptor, &state)
                state.forget(waiter.deadline)
                return waiter
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Tells epoll what the remaining waiters of a descriptor want; returns an errno value if it refuses.
    func arm(_ descriptor: Int32, _ state: inout State) -> Int32? {
        var events: UInt32 = 0
        for index in state.waiters.indices where state.waiters[index].descriptor == descriptor {
            events |=
                state.waiters[index].direction == .readable ? EPOLLIN.rawValue : EPOLLOUT.rawValue
        }
        var event = epoll_event(
            events: events | EPOLLONESHOT.rawValue, data: epoll_data_t(fd: descriptor))
        guard events != 0 else {
            if state.armed.remove(descriptor) != nil {
                epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &event)
            }
            return nil
        }
        // A descriptor that was closed and reused has left epoll by itself: then MOD says ENOENT.
        if state.armed.contains(descriptor) {
            if epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) == 0 { return nil }
        }
        guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else { return errno }
        state.armed.insert(descriptor)
        return nil
    }

    /// Waits until a moment has come; throws `CancellationError` when the task is cancelled before.
    package func sleep(until deadline: Instant) async throws {
        try await sleep(makeID()) { deadline }
    }

    func makeID() -> UInt64 { nextID.add(1, ordering: .relaxed).newValue }

    /// The same for a sleep that `move` finds by its id; `deadline` is read under the reactor's lock, so that the one set last counts.
    func sleep(_ id: UInt64, until deadline: @Sendable () -> Instant) async throws {
        // Race: cancelled after it was woken, when nobody else takes the mark back.
        defer { _ = state.withLock { $0.cancelledEarly.remove(id) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (isCancelled, isNext) = state.withLock { state -> (Bool, Bool) in
                    if state.cancelledEarly.remove(id) != nil { return (true, false) }
                    let sleeper = Sleeper(
                        id: id, deadline: deadline(), continuation: continuation)
                    state.sleepers.append(sleeper)
                    return (false, state.note(sleeper.deadline))
                }
                if isCancelled {
                    continuation.resume(throwing: CancellationError())
                } else if isNext {
                    wake()
                }
            }
        } onCancel: {
            let sleeper = state.withLock { state -> Sleeper? in
                guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
                    // Race: cancelled before the sleep was registered.
                    state.cancelledEarly.insert(id)
                    return nil
                }
                let sleeper = state.sleepers.remove(at: index)
                state.forget(sleeper.deadline)
                return sleeper
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Another deadline for one that sleeps; does nothing when it does not, or no more. `deadline` is read under the
    /// reactor's lock, so that the one set last counts.
    func move(_ id: UInt64, to deadline: () -> Instant) {
        let isNext = state.withLock { state -> Bool in
            guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
                return false
            }
            let (before, next) = (state.sleepers[index].deadline, state.nextDeadline)
            let deadline = deadline()
            state.sleepers[index].deadline = deadline
            state.forget(before)
            _ = state.note(deadline)
            return next.map { deadline < $0 } ?? true
        }
        if isNext { wake() }
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        let isFirst = jobs.withLock { jobs in
            jobs.append(unowned)
            return jobs.count == 1
        }
        if isFirst { wake() }
    }

    /// Has the loop look around again; it does so anyway when it is the loop that asks.
    private func wake() {
        guard UInt(pthread_self()) != thread.load(ordering: .relaxed) else { return }
        var one: UInt64 = 1
        write(wakeUp, &one, 8)
    }
}
