import Base
import CLinux
import Glibc
import Synchronization

// What the reactor's thread does.
extension Reactor {
    /// Most rounds of jobs between two looks at the descriptors: one wake-up mostly takes four.
    private static let turnsMax = 8

    func loop() {
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        var events = [epoll_event](repeating: epoll_event(), count: 32)
        var batch: [UnownedJob] = []
        while true {
            runJobs(&batch)
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

    /// Runs what waits, and what that brings forth; what goes on for long lets the descriptors have their turn.
    private func runJobs(_ batch: inout [UnownedJob]) {
        for _ in 0..<Self.turnsMax {
            // The two arrays take turns: neither is ever allocated anew.
            batch.removeAll(keepingCapacity: true)
            jobs.withLock { swap(&$0, &batch) }
            if batch.isEmpty { return }
            for job in batch { job.runSynchronously(on: asUnownedTaskExecutor()) }
        }
    }

    private func ready(_ descriptor: Int32, _ events: UInt32) {
        let trouble = events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
        let woken = state.withLock { state in
            var woken: [CheckedContinuation<Outcome, any Error>] = []
            var passed: [Instant] = []
            state.takeWaiters {
                let wanted = $0.direction == .readable ? EPOLLIN.rawValue : EPOLLOUT.rawValue
                return $0.descriptor == descriptor && (trouble || events & wanted != 0)
            } each: { waiter in
                woken.append(waiter.continuation)
                if let deadline = waiter.deadline { passed.append(deadline) }
            }
            // Without another waiter it stays in epoll for the next one: it has told its one event, and says no more until then.
            if state.waiters.contains(where: { $0.descriptor == descriptor }) {
                _ = arm(descriptor, &state)
            }
            for deadline in passed { state.forget(deadline) }
            return woken
        }
        for continuation in woken { continuation.resume(returning: .ready) }
    }

    private func expire() {
        let now = SystemClock().now()
        var late: [CheckedContinuation<Outcome, any Error>] = []
        var rested: [Sleeper] = []
        state.withLock { state in
            guard let next = state.nextDeadline, next <= now else { return }
            var freed: [Int32] = []
            state.takeWaiters {
                $0.deadline.map { $0 <= now } ?? false
            } each: { waiter in
                freed.append(waiter.descriptor)
                late.append(waiter.continuation)
            }
            for descriptor in freed { _ = arm(descriptor, &state) }
            for index in state.sleepers.indices.reversed()
            where state.sleepers[index].deadline <= now {
                rested.append(state.sleepers.remove(at: index))
            }
            state.findNextDeadline()
        }
        for continuation in late { continuation.resume(returning: .timedOut) }
        if rested.count > 1 { rested.sort { $0.deadline < $1.deadline } }
        for sleeper in rested { sleeper.continuation.resume() }
    }

    private func timeoutMilliseconds() -> Int32 {
        guard jobs.withLock({ $0.isEmpty }) else { return 0 }
        guard let next = state.withLock({ $0.nextDeadline }) else { return -1 }
        let rest = (next - SystemClock().now()).nanoseconds
        return Int32(clamping: max(0, (rest + 999_999) / 1_000_000))
    }
}
