package import Base
import CLinux
import Glibc
import Synchronization

/// One thread in `epoll_wait` that wakes tasks when their descriptors are ready.
///
/// Blocking system calls must not run on Swift's cooperative pool, which is as wide as the machine:
/// a task that waits here holds no thread at all. A descriptor must stay open while a task waits on it.
package final class Reactor: Sendable {
    package enum Direction: Sendable {
        case readable, writable
    }

    /// Why a wait ended.
    package enum Outcome: Sendable {
        case ready, timedOut
    }

    /// The process's reactor; its thread starts at the first use.
    package static let shared = Reactor()

    private struct Waiter {
        var descriptor: Int32
        var direction: Direction
        var deadline: Instant?
        var continuation: CheckedContinuation<Outcome, any Error>
    }

    private struct State {
        var waiters: [UInt64: Waiter] = [:]
        var cancelledEarly: Set<UInt64> = []
        var armed: Set<Int32> = []
    }

    private let epoll: Int32
    private let wakeUp: Int32
    private let state = Mutex(State())
    private let nextID = Atomic<UInt64>(1)

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
        let id = nextID.add(1, ordering: .relaxed).newValue
        // Race: cancelled after it was woken, when nobody else takes the mark back.
        defer { _ = state.withLock { $0.cancelledEarly.remove(id) } }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let refused = state.withLock { state -> (any Error)? in
                    if state.cancelledEarly.remove(id) != nil { return CancellationError() }
                    state.waiters[id] = Waiter(
                        descriptor: descriptor, direction: direction, deadline: deadline,
                        continuation: continuation)
                    guard let code = arm(descriptor, &state) else { return nil }
                    state.waiters[id] = nil
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
                guard let waiter = state.waiters.removeValue(forKey: id) else {
                    // Race: cancelled before the wait was registered.
                    state.cancelledEarly.insert(id)
                    return nil
                }
                _ = arm(waiter.descriptor, &state)
                return waiter
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Tells epoll what the remaining waiters of a descriptor want; returns an errno value if it refuses.
    private func arm(_ descriptor: Int32, _ state: inout State) -> Int32? {
        var events: UInt32 = 0
        for waiter in state.waiters.values where waiter.descriptor == descriptor {
            events |= waiter.direction == .readable ? EPOLLIN.rawValue : EPOLLOUT.rawValue
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

    private func wake() {
        var one: UInt64 = 1
        write(wakeUp, &one, 8)
    }

    private func loop() {
        var events = [epoll_event](repeating: epoll_event(), count: 32)
        while true {
            let count = epoll_wait(epoll, &events, Int32(events.count), timeoutMilliseconds())
            for event in events.prefix(Int(max(0, count))) {
                if event.data.fd == wakeUp {
                    var drained: UInt64 = 0
                    read(wakeUp, &drained, 8)
                } else {
                    ready(event.data.fd, event.events)
                }
            }
            expire()
        }
    }

    private func ready(_ descriptor: Int32, _ events: UInt32) {
        let trouble = events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
        let woken = state.withLock { state in
            let ids = state.waiters.filter { _, waiter in
                waiter.descriptor == descriptor
                    && (trouble
                        || events
                            & (waiter.direction == .readable
                                ? EPOLLIN.rawValue : EPOLLOUT.rawValue) != 0)
            }
            for id in ids.keys { state.waiters[id] = nil }
            _ = arm(descriptor, &state)
            return ids.values.map(\.continuation)
        }
        for continuation in woken { continuation.resume(returning: .ready) }
    }

    private func expire() {
        let now = SystemClock().now()
        let late = state.withLock { state in
            let ids = state.waiters.filter { _, waiter in waiter.deadline.map { $0 <= now } ?? false
            }
            for (id, waiter) in ids {
                state.waiters[id] = nil
                _ = arm(waiter.descriptor, &state)
            }
            return ids.values.map(\.continuation)
        }
        for continuation in late { continuation.resume(returning: .timedOut) }
    }

    private func timeoutMilliseconds() -> Int32 {
        guard let next = state.withLock({ $0.waiters.values.compactMap(\.deadline).min() }) else {
            return -1
        }
        let rest = (next - SystemClock().now()).nanoseconds
        return Int32(clamping: max(0, (rest + 999_999) / 1_000_000))
    }
}
