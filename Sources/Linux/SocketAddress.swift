package import Base
package import Glibc

/// Calls `body` with the C form of an IPv4 address and port, and its length in bytes.
package func withSocketAddress<R>(
    _ address: IPv4Address, port: UInt16 = 0, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R
) -> R {
    var raw = sockaddr_in()
    raw.sin_family = sa_family_t(AF_INET)
    raw.sin_port = port.bigEndian
    raw.sin_addr.s_addr = address.value.bigEndian
    return withUnsafePointer(to: raw) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

/// The name of a unix socket (`unix(7)`): a path, or an abstract name, which begins with `@`.
package struct UnixAddress: Sendable {
    private var raw = sockaddr_un()
    private let length: socklen_t

    /// Throws `ENAMETOOLONG` if the name does not fit into `sun_path`: 107 bytes. `attempted` is what the
    /// address is for, as in `SystemError`.
    package init(_ name: String, to attempted: String) throws(SystemError) {
        var bytes = Array(name.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: raw.sun_path) else {
            throw SystemError(attempted, code: ENAMETOOLONG)
        }
        if bytes.first == UInt8(ascii: "@") {
            bytes[0] = 0
        } else {
            // A path ends with a zero byte; an abstract name ends where the length says.
            bytes.append(0)
        }
        raw.sun_family = sa_family_t(AF_UNIX)
        length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        withUnsafeMutableBytes(of: &raw.sun_path) { $0.copyBytes(from: bytes) }
    }

    /// Calls `body` with the C form of the address, and its length in bytes.
    package func with<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        withUnsafePointer(to: raw) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}
