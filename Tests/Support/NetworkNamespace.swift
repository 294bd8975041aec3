import CLinux
import Glibc
import Linux
import Synchronization

/// A network namespace of one test: nothing it does can touch the machine's own network.
package enum NetworkNamespace {
    /// Whether this process may make one: root, or root of a user namespace (as under `make test`).
    package static let isAvailable: Bool = (try? run {}) != nil

    /// Runs blocking code on a thread of its own inside a new, empty network namespace.
    ///
    /// Only this thread is in the namespace: open sockets and start children from within `body`. The
    /// namespace ends with the last of them. Loopback is up.
    package static func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) throws -> R {
        let shared = Shared<R>()
        let done = Semaphore()
        BlockingThread.start(name: "test-netns") {
            shared.outcome.withLock { slot in
                slot = Result {
                    _ = try checkShim(
                        "make a network namespace", clinux_new_network_namespace())
                    try loopbackUp()
                    return try body()
                }
            }
            done.signal()
        }
        done.wait()
        guard let result = shared.outcome.withLock({ $0 }) else {
            preconditionFailure("the thread has ended")
        }
        return try result.get()
    }

    private static func loopbackUp() throws(SystemError) {
        let child = posixIP(["link", "set", "lo", "up"])
        guard child == 0 else { throw SystemError("set lo up", code: EPERM) }
    }

    /// Runs `ip` in the calling thread's namespace and returns its exit status; blocks.
    @discardableResult
    package static func posixIP(_ arguments: [String]) -> Int32 {
        run("/usr/sbin/ip", arguments)
    }

    /// Runs a program in the calling thread's namespace and returns its exit status; blocks.
    @discardableResult
    package static func run(_ path: String, _ arguments: [String]) -> Int32 {
        var pointers: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        var pid: pid_t = 0
        guard posix_spawn(&pid, path, nil, nil, pointers, environ) == 0 else { return 127 }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }

    private final class Shared<R: Sendable>: Sendable {
        let outcome = Mutex<Result<R, any Error>?>(nil)
    }

    /// A POSIX semaphore: the waiting thread is the test's own.
    private final class Semaphore: @unchecked Sendable {
        // Safe because sem_t is made for use by several threads.
        private let raw = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        init() { sem_init(raw, 0, 0) }
        deinit {
            sem_destroy(raw)
            raw.deallocate()
        }
        func signal() { sem_post(raw) }
        func wait() { while sem_wait(raw) < 0 && errno == EINTR {} }
    }
}
