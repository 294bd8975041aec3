package import Base
import Glibc

/// A raw ICMP socket that sends echo requests out of one device and hears echo replies on it.
///
/// Opening it needs CAP_NET_RAW. It never blocks: wait on `descriptor` through the reactor.
package struct EchoSocket: ~Copyable, Sendable {
    /// The number, to wait on through the reactor.
    package var descriptor: Int32 { socket.raw }
    private let socket: FileDescriptor

    /// Bytes of replies that may wait in the kernel.
    private static let receiveBytes: Int32 = 64 * 1024

    /// The corresponding C function is `socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)`.
    package init() throws(SystemError) {
        let raw = try check("open a probe socket") {
            Glibc.socket(
                AF_INET,
                Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
                    | Int32(SOCK_NONBLOCK.rawValue), Int32(IPPROTO_ICMP))
        }
        let opened = FileDescriptor(owning: raw)
        // SOL_RAW, ICMP_FILTER: a mask of the message types to drop, here all but echo reply (0).
        var dropped: UInt32 = ~1
        _ = try check("filter a probe socket") { setsockopt(raw, 255, 1, &dropped, 4) }
        var bytes = Self.receiveBytes
        _ = setsockopt(raw, SOL_SOCKET, SO_RCVBUF, &bytes, 4)
        // Refused: the time of reading has to do.
        _ = ArrivalStamp.request(on: raw)
        socket = opened
    }

    /// Binds to a device and to a source address of it; may be called again when either changes.
    ///
    /// The corresponding C functions are `setsockopt(SO_BINDTODEVICE)` and `bind`.
    package borrowing func bind(to interface: String, source: IPv4Address) throws(SystemError) {
        let raw = socket.raw
        let name = Array(interface.utf8)
        _ = try check("bind probe socket to \(interface)") {
            setsockopt(raw, SOL_SOCKET, SO_BINDTODEVICE, name, socklen_t(name.count))
        }
        let bound = withSocketAddress(source) { address, length in
            Glibc.bind(raw, address, length) == 0 ? 0 : errno
        }
        guard bound == 0 else {
            throw SystemError("bind probe socket to \(source) on \(interface)", code: bound)
        }
    }

    /// Sends a request; the corresponding C function is `sendto`.
    package borrowing func send(_ packet: EchoPacket, to target: IPv4Address) throws(SystemError) {
        let raw = socket.raw
        let bytes = packet.request
        _ = try check("send a probe to \(target)") {
            withSocketAddress(target) { address, length in
                sendto(raw, bytes, bytes.count, Int32(MSG_DONTWAIT), address, length)
            }
        }
    }

    /// The next datagram, IPv4 header included, cut off after what can be ours, and when it arrived, by the kernel's own stamp;
    /// nil if none waits.
    package borrowing func receive()
        throws(SystemError) -> (datagram: [UInt8], arrival: Instant)?
    {
        let raw = socket.raw
        // One byte more: a longer datagram is not mistaken for a whole one.
        var buffer = [UInt8](repeating: 0, count: EchoReply.bytesMax + 1)
        var arrival = Instant.boot
        do throws(SystemError) {
            let count = try check("read from a probe socket") {
                buffer.withUnsafeMutableBytes {
                    ArrivalStamp.receive(into: $0, from: raw, arrival: &arrival)
                }
            }
            buffer.removeLast(buffer.count - count)
            return (buffer, arrival)
        } catch  where error.code == EAGAIN {
            return nil
        }
    }
}
