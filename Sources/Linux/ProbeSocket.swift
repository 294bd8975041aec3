package import Base
import Glibc

/// A TCP connection or a UDP socket that shows whether a peer answers over one device, and is then thrown away.
package struct ProbeSocket: ~Copyable, Sendable {
    package enum Finding: Equatable, Sendable {
        /// Nothing yet.
        case silent
        /// It took the connection, or refused it itself: both prove the way.
        case answered
        /// A datagram of it.
        case datagram([UInt8])
        /// Nothing will come any more.
        case failed
    }

    package var descriptor: Int32 { socket.descriptor }
    private let socket: BoundSocket
    private let isStream: Bool

    /// One repetition of a lost SYN is enough: a later one would answer no question.
    private static let synRepetitions: Int32 = 1
    /// Longest datagram that is read; what is longer is cut off.
    private static let bytesMax = 512

    /// Begins a connection, which ends without a trace on the network once it is thrown away: a reset (`tcp(7)`, `SO_LINGER`).
    package init(
        connectingTo address: IPv4Address, port: UInt16, over interface: String, source: IPv4Address
    ) throws(SystemError) {
        socket = try BoundSocket(
            SOCK_STREAM, to: .init(address: address, port: port), over: interface, source: source)
        isStream = true
        var repetitions = Self.synRepetitions
        // TCP_SYNCNT
        _ = setsockopt(socket.descriptor, Int32(IPPROTO_TCP), 7, &repetitions, 4)
        var abort = linger(l_onoff: 1, l_linger: 0)
        _ = setsockopt(
            socket.descriptor, SOL_SOCKET, SO_LINGER, &abort,
            socklen_t(MemoryLayout<linger>.size))
    }

    /// Sends a datagram from a port of the kernel's choice.
    package init(
        sending bytes: [UInt8], to address: IPv4Address, port: UInt16, over interface: String,
        source: IPv4Address
    ) throws(SystemError) {
        let opened = try BoundSocket(
            SOCK_DGRAM, to: .init(address: address, port: port), over: interface, source: source)
        let raw = opened.descriptor
        _ = try check("send a question to \(address)") {
            bytes.withUnsafeBytes { send(raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        }
        socket = opened
        isStream = false
    }

    /// What there is, without waiting. To be asked when the descriptor is ready.
    package borrowing func look() -> Finding {
        let raw = socket.descriptor
        guard isStream else {
            var buffer = [UInt8](repeating: 0, count: Self.bytesMax)
            let count = buffer.withUnsafeMutableBytes {
                recv(raw, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
            }
            if count < 0 { return errno == EAGAIN || errno == EINTR ? .silent : .failed }
            return .datagram(Array(buffer.prefix(count)))
        }
        var code: Int32 = 0
        var length = socklen_t(4)
        guard getsockopt(raw, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { return .failed }
        switch code {
        case 0, ECONNREFUSED: return .answered
        default: return .failed
        }
    }
}
