import Glibc
import Linux

/// A listening unix stream socket, non-blocking; its path is removed when this ends.
final class LocalListener: Sendable {
    private let socket: FileDescriptor
    private let path: String

    /// Binds `path` with mode 0660. A socket that nobody listens on any more is replaced; one that somebody
    /// listens on is an error.
    init(_ path: String) throws {
        let attempted = "listen on \(path)"
        let address = try LocalStream.address(path, attempted)
        socket = try LocalStream.socket(attempted)
        // The kernel gives the new path the socket's mode: it is never open to more than it should be.
        let raw = socket.raw
        _ = try check(attempted) { fchmod(raw, 0o660) }
        if let refusal = Self.bind(raw, address) {
            guard refusal == EADDRINUSE else { throw SystemError(attempted, code: refusal) }
            guard Self.isStale(path) else {
                throw ConsoleError(
                    "another daemon is listening on \(path): is drawbridge running already?")
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
    private static func bind(_ raw: Int32, _ address: sockaddr_un) -> Int32? {
        LocalStream.with(address) { Glibc.bind(raw, $0, $1) } == 0 ? nil : errno
    }

    private static func isStale(_ path: String) -> Bool {
        do throws(SystemError) {
            _ = try LocalStream(connectingTo: path)
            return false
        } catch {
            // A file that is no socket gives ECONNREFUSED too: never remove that.
            var info = stat()
            return error.code == ECONNREFUSED && lstat(path, &info) == 0
                && info.st_mode & S_IFMT == S_IFSOCK
        }
    }

    /// The next caller.
    func accept() async throws -> LocalStream {
        while true {
            let raw = Glibc.accept(socket.raw, nil, nil)
            let code = errno
            if raw >= 0 {
                // Swift does not see `accept4`. A child that is started in between holds a copy of the
                // connection, which does no harm: the answer ends with its line, not with the connection.
                _ = fcntl(raw, F_SETFD, FD_CLOEXEC)
                _ = fcntl(raw, F_SETFL, O_NONBLOCK)
                return LocalStream(FileDescriptor(owning: raw))
            }
            switch code {
            case EAGAIN: _ = try await Reactor.shared.wait(for: .readable, on: socket.raw)
            case EINTR, ECONNABORTED: continue
            default: throw SystemError("accept on \(path)", code: code)
            }
        }
    }
}
