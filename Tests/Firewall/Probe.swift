import Base
import Glibc
import Linux

/// Plain sockets of a test host. All calls block, for at most `patience`; use them within `perform`.
enum Probe {
    static let patienceMilliseconds = 300

    /// What became of a TCP connection attempt: 0 for a connection, or an errno value.
    ///
    /// `ECONNREFUSED`: the packet arrived and its answer came back. `EINPROGRESS`: one of them was
    /// dropped.
    static func tcp(_ to: IPv4Address, _ port: UInt16) throws -> Int32 {
        let socket = try open(SOCK_STREAM)
        let raw = socket.raw
        return withSocketAddress(to, port: port) { Glibc.connect(raw, $0, $1) } == 0 ? 0 : errno
    }

    /// A UDP socket bound to a port, and connected if `to` is given.
    static func udp(
        at address: IPv4Address = IPv4Address(value: 0), port: UInt16, to: IPv4Address? = nil,
        _ toPort: UInt16 = 0
    ) throws -> Int32 {
        let socket = try open(SOCK_DGRAM)
        let raw = socket.raw
        _ = try check("bind") {
            withSocketAddress(address, port: port) { Glibc.bind(raw, $0, $1) }
        }
        if let to {
            _ = try check("connect") {
                withSocketAddress(to, port: toPort) { Glibc.connect(raw, $0, $1) }
            }
        }
        return socket.release()
    }

    /// Sends one byte, or one many times, on a connected socket; what the kernel says to it is not of interest.
    static func send(_ raw: Int32, _ byte: UInt8, count: Int = 1) {
        let bytes = [UInt8](repeating: byte, count: count)
        _ = bytes.withUnsafeBytes { Glibc.send(raw, $0.baseAddress, $0.count, 0) }
    }

    /// Waits for one byte and connects the socket to its sender; nil if none came.
    static func receive(_ raw: Int32) -> UInt8? {
        var byte: UInt8 = 0
        var sender = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &sender) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard recvfrom(raw, &byte, 1, 0, address, &length) == 1 else { return nil }
                Glibc.connect(raw, address, length)
                return byte
            }
        }
    }

    private static func open(_ type: __socket_type) throws(SystemError) -> FileDescriptor {
        let raw = try check("open a socket") {
            socket(AF_INET, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        }
        var time = timeval(tv_sec: 0, tv_usec: patienceMilliseconds * 1000)
        let length = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(raw, SOL_SOCKET, SO_RCVTIMEO, &time, length)
        setsockopt(raw, SOL_SOCKET, SO_SNDTIMEO, &time, length)
        return FileDescriptor(owning: raw)
    }
}
