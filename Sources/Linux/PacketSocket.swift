package import Base
import Glibc

/// Sends whole IPv4 packets, with whichever sender's address is written in them (`raw(7)`), under a packet mark by which rules
/// know them.
///
/// Opening one needs CAP_NET_RAW and CAP_NET_ADMIN.
package struct PacketSocket: ~Copyable, Sendable {
    private let socket: FileDescriptor

    /// The corresponding C functions are `socket(AF_INET, SOCK_RAW, IPPROTO_RAW)` and `setsockopt(SO_MARK)`.
    package init(mark: UInt32) throws(SystemError) {
        let raw = try check("open a packet socket") {
            Glibc.socket(
                AF_INET,
                Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
                    | Int32(SOCK_NONBLOCK.rawValue), Int32(IPPROTO_RAW))
        }
        let opened = FileDescriptor(owning: raw)
        var mark = mark
        _ = try check("mark a packet socket") { setsockopt(raw, SOL_SOCKET, SO_MARK, &mark, 4) }
        socket = opened
    }

    /// Sends a packet, header included, on the way to `receiver`, without waiting; the corresponding C function is `sendto`.
    package borrowing func send(_ packet: [UInt8], to receiver: IPv4Address) throws(SystemError) {
        let raw = socket.raw
        _ = try check("send a packet to \(receiver)") {
            withSocketAddress(receiver) { address, length in
                sendto(raw, packet, packet.count, Int32(MSG_DONTWAIT), address, length)
            }
        }
    }
}
