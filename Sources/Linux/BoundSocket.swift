package import Base
import CLinux
package import Glibc

/// A connected, non-blocking IPv4 socket that uses one device and one source address, whichever uplink carries.
///
/// Binding to a device needs CAP_NET_RAW.
package struct BoundSocket: ~Copyable, Sendable {
    /// The number, to wait on through the reactor.
    package var descriptor: Int32 { socket.raw }
    private let socket: FileDescriptor

    /// The corresponding C functions are `setsockopt(SO_BINDTODEVICE)`, `bind` and `connect`; a stream may not yet
    /// be connected when this returns.
    package init(
        _ type: __socket_type, to peer: DatagramSocket.Peer, over interface: String,
        source: IPv4Address
    ) throws(SystemError) {
        let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let opened = FileDescriptor(
            owning: try check("open a socket") {
                Glibc.socket(AF_INET, Int32(type.rawValue) | flags, 0)
            })
        let raw = opened.raw
        let name = Array(interface.utf8)
        _ = try check("bind a socket to \(interface)") {
            setsockopt(raw, SOL_SOCKET, SO_BINDTODEVICE, name, socklen_t(name.count))
        }
        _ = try check("bind a socket to \(source) on \(interface)") {
            withSocketAddress(source) { bind(raw, $0, $1) }
        }
        let attempted = "connect to \(peer.address):\(peer.port)"
        let code = withSocketAddress(peer.address, port: peer.port) {
            connect(raw, $0, $1) == 0 ? 0 : errno
        }
        guard code == 0 || code == EINPROGRESS else { throw SystemError(attempted, code: code) }
        socket = opened
    }

    /// Waits until a stream is connected, or throws why it is not; `ETIMEDOUT` at the deadline.
    package borrowing func connected(to what: String, until deadline: Instant) async throws {
        let raw = socket.raw
        guard
            try await Reactor.shared.wait(for: .writable, on: raw, until: deadline) == .ready
        else { throw SystemError("connect to \(what)", code: ETIMEDOUT) }
        var code: Int32 = 0
        var length = socklen_t(4)
        getsockopt(raw, SOL_SOCKET, SO_ERROR, &code, &length)
        guard code == 0 else { throw SystemError("connect to \(what)", code: code) }
    }

    /// Sends a datagram and returns the first one that comes back; `ETIMEDOUT` at the deadline.
    package borrowing func exchange(
        _ bytes: [UInt8], bytesMax: Int, until deadline: Instant
    ) async throws -> [UInt8] {
        let raw = socket.raw
        _ = try check("send a datagram") {
            bytes.withUnsafeBytes { send(raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        }
        guard
            try await Reactor.shared.wait(for: .readable, on: raw, until: deadline) == .ready
        else { throw SystemError("receive an answer", code: ETIMEDOUT) }
        return try socket.read(atMost: bytesMax)
    }
}

/// What the kernel says of a network interface.
package enum InterfaceFacts {
    /// Whether there is a signal on the wire; nil: there is no such interface, or it is switched off.
    package static func hasCarrier(_ interface: String) -> Bool? {
        guard let text = try? SmallFile.readText("/sys/class/net/\(interface)/carrier") else {
            return nil
        }
        return text.hasPrefix("1")
    }

    package static func exists(_ interface: String) -> Bool {
        access("/sys/class/net/\(interface)", F_OK) == 0
    }

    /// The hardware address, such as `02:42:ac:11:00:02`.
    package static func hardwareAddress(_ interface: String) -> String? {
        guard let text = try? SmallFile.readText("/sys/class/net/\(interface)/address") else {
            return nil
        }
        return String(text.prefix { $0 != "\n" })
    }

    /// Whether a neighbour has answered the kernel's ARP requests; nil: nobody has asked yet. See proc(5).
    package static func neighbourAnswers(_ address: IPv4Address, on interface: String) -> Bool? {
        guard let text = try? SmallFile.readText("/proc/net/arp") else { return nil }
        for line in text.split(separator: "\n").dropFirst() {
            let fields = line.split(separator: " ")
            guard fields.count >= 6, fields[0] == "\(address)", fields[5] == interface else {
                continue
            }
            // ATF_COM: the entry is complete.
            return (UInt32(fields[2].dropFirst(2), radix: 16) ?? 0) & 2 != 0
        }
        return nil
    }
}

/// The space of a file system.
package struct FileSystemSpace: Equatable, Sendable {
    /// Bytes that may still be written.
    package var free: Int64

    /// The corresponding C function is `statvfs`.
    package init(of path: String) throws(SystemError) {
        var about = statvfs()
        _ = try check("look at the disk of \(path)") { statvfs(path, &about) }
        free = Int64(about.f_bavail) * Int64(about.f_frsize)
    }
}

/// Whether a time service keeps the clock.
package enum ClockFacts {
    /// The corresponding C function is `adjtimex`. The service's sandbox refuses it, for it can also set the clock: then
    /// the file counts that systemd-timesyncd leaves once it has set the clock in this boot.
    package static func isSynchronised(
        mark: String = "/run/systemd/timesync/synchronized"
    ) -> Bool {
        switch clinux_clock_is_kept() {
        case 0: false
        case 1: true
        default: access(mark, F_OK) == 0
        }
    }
}
