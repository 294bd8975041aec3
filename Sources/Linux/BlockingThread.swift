import CLinux
import Glibc
import Synchronization

/// Threads for C calls that block: they must not run on the cooperative pool.
package enum BlockingThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a detached thread with a name of at most 15 bytes.
    package static func start(name: String, _ run: @escaping @Sendable () -> Void) {
        let body = Body {
            _ = clinux_name_thread(String(name.prefix(15)))
            run()
        }
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let context = Unmanaged.passRetained(body).toOpaque()
        let rc = pthread_create(&thread, &attributes, blockingThreadMain, context)
        precondition(rc == 0, "cannot start the thread \(name)")
        pthread_attr_destroy(&attributes)
    }

    fileprivate static func enter(_ context: UnsafeMutableRawPointer) {
        Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
    }
}

/// A file-level function: a closure written in an isolated context would trap on a foreign thread.
private func blockingThreadMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context { BlockingThread.enter(context) }
    return nil
}

/// One named thread that runs the jobs of an actor whose work blocks.
///
/// Give it to an actor as its `unownedExecutor`; the actor's methods then run on this thread only. Preferred by a task, too
/// (`withTaskExecutorPreference`), that task also waits there.
package final class ThreadExecutor: SerialExecutor, TaskExecutor {
    private struct Queue {
        var jobs: [UnownedJob] = []
        /// Whether the thread runs jobs, or has been told to: then it looks once more before it sleeps.
        var isAwake = false
    }
    private let queue = Mutex(Queue())
    private let wakeUp: Int32

    /// `isUrgent`: before every ordinary program, if the process may have that (`CAP_SYS_NICE`).
    package init(name: String, isUrgent: Bool = false) {
        wakeUp = eventfd(0, O_CLOEXEC)
        precondition(wakeUp >= 0, "no descriptor left for the thread \(name)")
        BlockingThread.start(name: name) { [weak self, wakeUp] in
            if isUrgent { _ = clinux_nice_thread(-20) }
            while true {
                var count: UInt64 = 0
                read(wakeUp, &count, 8)
                guard let executor = self else {
                    close(wakeUp)
                    return
                }
                executor.drain()
            }
        }
    }

    deinit {
        // The thread holds no strong reference: this last wake-up lets it end.
        var one: UInt64 = 1
        write(wakeUp, &one, 8)
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        let sleeps = queue.withLock { queue in
            queue.jobs.append(unowned)
            defer { queue.isAwake = true }
            return !queue.isAwake
        }
        guard sleeps else { return }
        var one: UInt64 = 1
        write(wakeUp, &one, 8)
    }

    private func drain() {
        while true {
            let jobs = queue.withLock { queue in
                let jobs = queue.jobs
                queue.jobs = []
                queue.isAwake = !jobs.isEmpty
                return jobs
            }
            if jobs.isEmpty { return }
            for job in jobs {
                job.runSynchronously(
                    isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
            }
        }
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }
}
