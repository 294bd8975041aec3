import CLinux
package import Glibc

/// Unix sockets (`unix(7)`), non-blocking and close-on-exec from the first moment.
package enum UnixSocket {
    /// The corresponding C function is `socket`.
    package static func open(_ type: __socket_type, to attempted: String) throws(SystemError)
        -> FileDescriptor
    {
        let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        return FileDescriptor(
            owning: try check(attempted) { socket(AF_UNIX, Int32(type.rawValue) | flags, 0) })
    }

    /// The next connection to a listening socket, which its owner keeps open. The corresponding C function is
    /// `accept4`.
    package static func accept(on listener: Int32, to attempted: String) async throws
        -> FileDescriptor
    {
        while true {
            let result = clinux_accept(listener)
            if result >= 0 { return FileDescriptor(owning: result) }
            switch -result {
            case EAGAIN: _ = try await Reactor.shared.wait(for: .readable, on: listener)
            case EINTR, ECONNABORTED: continue
            default: throw SystemError(attempted, code: -result)
            }
        }
    }
}
