import Base
import Glibc

/// A listening unix stream socket, non-blocking; its path is removed when this ends.
package final class UnixListener: Sendable {
    private let socket: FileDescriptor
    private let path: String

    /// Binds `path` with mode 0660. A socket that nobody listens on any more is replaced; one that somebody
    /// listens on is an error.
    package init(_ path: String) throws {
        let attempted = "listen on \(path)"
        let address = try UnixAddress(path, to: attempted)
        socket = try UnixSocket.open(SOCK_STREAM, to: attempted)
        // The kernel gives the new path the socket's mode: it is never open to more than it should be.
        let raw = socket.raw
        _ = try check(attempted) { fchmod(raw, 0o660) }
        if let refusal = Self.bind(raw, address) {
            guard refusal == EADDRINUSE else { throw SystemError(attempted, code: refusal) }
            guard Self.isStale(path) else {
                throw PathInUse(path: path)
            }
            unlink(path)
            if let again = Self.bind(raw, address) { throw SystemError(attempted, code: again) }
        }
        // From here on the path is ours: `deinit` removes it, also when the next steps fail.
        self.path = path
        _ = try check(attempted) { chmod(path, 0o660) }
        _ = try check(attempted) { listen(raw, 64) }
    }

    deinit { unlink(path) }

    /// An errno value, or nil.
    private static func bind(_ raw: Int32, _ address: UnixAddress) -> Int32? {
        address.with { Glibc.bind(raw, $0, $1) } == 0 ? nil : errno
    }

    private static func isStale(_ path: String) -> Bool {
        do throws(SystemError) {
            _ = try UnixStream(connectingTo: path)
            return false
        } catch {
            // A file that is no socket gives ECONNREFUSED too: never remove that.
            var info = stat()
            return error.code == ECONNREFUSED && lstat(path, &info) == 0
                && info.st_mode & S_IFMT == S_IFSOCK
        }
    }

    /// The next caller.
    package func accept() async throws -> UnixStream {
        UnixStream(try await UnixSocket.accept(on: socket.raw, to: "accept on \(path)"))
    }
}

/// Somebody listens on a unix socket's path already.
package struct PathInUse: Error, Equatable, CustomStringConvertible {
    package let path: String

    package init(path: String) { self.path = path }

    package var description: String {
        "another daemon is listening on \(path): is drawbridge running already?"
    }
}

extension UnixListener {
    /// Serves each caller in a task of its own until cancelled; `failed` hears why one could not be accepted.
    package func serve(
        failed: (any Error) -> Void, _ caller: @escaping @Sendable (UnixStream) async -> Void
    ) async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                do {
                    let stream = try await accept()
                    group.addTask { await caller(stream) }
                } catch is CancellationError {
                    break
                } catch {
                    failed(error)
                    // Out of descriptors, most likely: do not spin.
                    try? await Reactor.shared.sleep(
                        until: SystemClock().now() + .milliseconds(200))
                }
            }
            group.cancelAll()
        }
    }
}
