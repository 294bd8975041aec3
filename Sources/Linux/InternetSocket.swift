package import Base
import Glibc

/// A non-blocking IPv4 UDP socket; wait for it through the `Reactor`.
package struct DatagramSocket: ~Copyable, Sendable {
    /// Where a datagram came from.
    package struct Peer: Equatable, Sendable {
        package var address: IPv4Address
        package var port: UInt16

        package init(address: IPv4Address, port: UInt16) {
            self.address = address
            self.port = port
        }
    }

    /// The number, to wait on through the reactor.
    package var descriptor: Int32 { socket.raw }
    private let socket: FileDescriptor

    /// A socket that listens on a local address. The corresponding C function is `bind`.
    package init(listening address: IPv4Address, port: UInt16) throws(SystemError) {
        let opened = try internetSocket(SOCK_DGRAM)
        let raw = opened.raw
        _ = try check("listen on \(address) udp/\(port)") {
            withSocketAddress(address, port: port) { bind(raw, $0, $1) }
        }
        socket = opened
    }

    /// A socket on a random port that hears one peer only. The corresponding C function is `connect`.
    package init(to peer: Peer) throws(SystemError) {
        let opened = try internetSocket(SOCK_DGRAM)
        let raw = opened.raw
        _ = try check("reach \(peer.address) udp/\(peer.port)") {
            withSocketAddress(peer.address, port: peer.port) { connect(raw, $0, $1) }
        }
        socket = opened
    }

    /// Sends to the peer that the socket is connected to.
    package borrowing func send(_ bytes: [UInt8]) throws(SystemError) {
        let raw = socket.raw
        _ = try check("send a datagram") {
            bytes.withUnsafeBytes { Glibc.send(raw, $0.baseAddress, $0.count, 0) }
        }
    }

    /// Sends to a peer from the listening socket with this descriptor, which its owner keeps open.
    package static func send(_ bytes: [UInt8], to peer: Peer, on raw: Int32) throws(SystemError) {
        _ = try check("send a datagram to \(peer.address)") {
            bytes.withUnsafeBytes { buffer in
                withSocketAddress(peer.address, port: peer.port) {
                    sendto(raw, buffer.baseAddress, buffer.count, 0, $0, $1)
                }
            }
        }
    }

    /// The next datagram, cut after `bytesMax`; nil when none is there.
    package borrowing func receive(bytesMax: Int)
        throws(SystemError) -> (bytes: [UInt8], peer: Peer)?
    {
        let raw = socket.raw
        var buffer = [UInt8](repeating: 0, count: bytesMax)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let count: Int
        do throws(SystemError) {
            count = try check("receive a datagram") {
                withUnsafeMutablePointer(to: &address) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { sender in
                        buffer.withUnsafeMutableBytes {
                            recvfrom(raw, $0.baseAddress, $0.count, 0, sender, &length)
                        }
                    }
                }
            }
        } catch {
            guard error.code == EAGAIN else { throw error }
            return nil
        }
        buffer.removeLast(bytesMax - count)
        let peer = Peer(
            address: IPv4Address(value: UInt32(bigEndian: address.sin_addr.s_addr)),
            port: UInt16(bigEndian: address.sin_port))
        return (buffer, peer)
    }
}

/// A non-blocking IPv4 TCP connection for one short exchange.
package struct StreamSocket: ~Copyable, Sendable {
    private let socket: FileDescriptor
    private let deadline: Instant

    /// Connects, or throws `ETIMEDOUT` at the deadline, which holds for the whole exchange.
    package init(to peer: DatagramSocket.Peer, until deadline: Instant) async throws {
        let opened = try internetSocket(SOCK_STREAM)
        let raw = opened.raw
        let attempted = "connect to \(peer.address) tcp/\(peer.port)"
        if withSocketAddress(peer.address, port: peer.port, { connect(raw, $0, $1) }) < 0 {
            guard errno == EINPROGRESS else { throw SystemError(attempted, code: errno) }
            try await Self.wait(.writable, raw, deadline, attempted)
            var code: Int32 = 0
            var length = socklen_t(4)
            getsockopt(raw, SOL_SOCKET, SO_ERROR, &code, &length)
            guard code == 0 else { throw SystemError(attempted, code: code) }
        }
        socket = opened
        self.deadline = deadline
    }

    package borrowing func writeAll(_ bytes: [UInt8]) async throws {
        let raw = socket.raw
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                send(raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                try await Self.wait(.writable, raw, deadline, "write to a connection")
            } else if errno != EINTR {
                throw SystemError("write to a connection", code: errno)
            }
        }
    }

    /// Exactly `count` bytes; `ECONNRESET` when the connection ends before.
    package borrowing func read(exactly count: Int) async throws -> [UInt8] {
        let raw = socket.raw
        var content: [UInt8] = []
        while content.count < count {
            var buffer = [UInt8](repeating: 0, count: count - content.count)
            let length = buffer.withUnsafeMutableBytes { recv(raw, $0.baseAddress, $0.count, 0) }
            if length > 0 {
                content += buffer[0..<length]
            } else if length == 0 {
                throw SystemError("read from a connection", code: ECONNRESET)
            } else if errno == EAGAIN {
                try await Self.wait(.readable, raw, deadline, "read from a connection")
            } else if errno != EINTR {
                throw SystemError("read from a connection", code: errno)
            }
        }
        return content
    }

    private static func wait(
        _ direction: Reactor.Direction, _ raw: Int32, _ deadline: Instant, _ attempted: String
    ) async throws {
        switch try await Reactor.shared.wait(for: direction, on: raw, until: deadline) {
        case .ready: return
        case .timedOut: throw SystemError(attempted, code: ETIMEDOUT)
        }
    }
}

private func internetSocket(_ type: __socket_type) throws(SystemError) -> FileDescriptor {
    let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    return FileDescriptor(
        owning: try check("open a socket") { socket(AF_INET, Int32(type.rawValue) | flags, 0) })
}
