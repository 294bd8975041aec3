package import Base
import Glibc

/// A listening IPv4 TCP socket, non-blocking.
package final class TCPListener: Sendable {
    private let socket: FileDescriptor
    private let place: String

    /// The corresponding C functions are `bind` and `listen`; `EADDRNOTAVAIL` while no interface has the address.
    package init(_ address: IPv4Address, port: UInt16) throws(SystemError) {
        place = "\(address) tcp/\(port)"
        let attempted = "listen on \(place)"
        let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let opened = FileDescriptor(
            owning: try check(attempted) {
                Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | flags, 0)
            })
        let raw = opened.raw
        // Connections of a daemon that has just ended must not keep the next one out.
        Self.set(raw, SOL_SOCKET, SO_REUSEADDR, 1)
        _ = try check(attempted) { withSocketAddress(address, port: port) { bind(raw, $0, $1) } }
        _ = try check(attempted) { listen(raw, 16) }
        socket = opened
    }

    /// The next caller, and from where. One who has vanished without a word is noticed after a minute and a half.
    package func accept() async throws -> (stream: UnixStream, from: IPv4Address) {
        let caller = try await UnixSocket.accept(on: socket.raw, to: "accept on \(place)")
        let raw = caller.raw
        Self.set(raw, SOL_SOCKET, SO_KEEPALIVE, 1)
        Self.set(raw, Int32(IPPROTO_TCP), TCP_KEEPIDLE, 60)
        Self.set(raw, Int32(IPPROTO_TCP), TCP_KEEPINTVL, 10)
        Self.set(raw, Int32(IPPROTO_TCP), TCP_KEEPCNT, 3)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = getpeername(raw, $0, &length)
            }
        }
        return (
            UnixStream(caller), IPv4Address(value: UInt32(bigEndian: address.sin_addr.s_addr))
        )
    }

    private static func set(_ raw: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(raw, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}
