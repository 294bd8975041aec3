import Glibc
import Linux

/// Ctrl-C and SIGTERM as an orderly end: the running work is cancelled and may take its site down.
package enum Interruption {
    /// The pipe from the signal handler: read end, write end. Made before the handler is set.
    private static let ends: (read: Int32, write: Int32) = {
        var pair: [Int32] = [-1, -1]
        precondition(pipe(&pair) == 0, "no descriptors left for signals")
        for end in pair {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        return (pair[0], pair[1])
    }()

    fileprivate static func note() {
        var byte: UInt8 = 1
        write(ends.write, &byte, 1)
    }

    /// Runs `body`; SIGINT or SIGTERM cancels it. Returns false when it was interrupted.
    package static func cancelling(
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws -> Bool {
        let descriptor = ends.read
        for number in [SIGINT, SIGTERM] { signal(number, onSignal) }
        return try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await body()
                return true
            }
            group.addTask {
                _ = try await Reactor.shared.wait(for: .readable, on: descriptor)
                return false
            }
            // Whichever is first ends the other; the body has cleaned up before this returns.
            let finished = try await group.next() ?? true
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) {
                    throw error
                }
            }
            return finished
        }
    }
}

/// A file-level function: a closure written in an isolated context would trap in a signal handler.
private func onSignal(_ number: Int32) {
    let code = errno
    Interruption.note()
    errno = code
}
