import CLinux
import Glibc

/// IPv4 packets to and from the hosts of one interface, past the firewall and connection tracking (`packet(7)`).
///
/// Opening one needs CAP_NET_RAW.
package struct PacketSocket: ~Copyable, Sendable {
    private let socket: FileDescriptor
    private let interfaceIndex: Int32

    package init(interfaceIndex: Int32) throws(SystemError) {
        let raw = try checkShim(
            "open a packet socket on interface \(interfaceIndex)",
            clinux_packet_socket(interfaceIndex))
        socket = FileDescriptor(owning: raw)
        self.interfaceIndex = interfaceIndex
    }

    /// Sends a whole IPv4 packet to the hardware address of six bytes, without waiting.
    package borrowing func send(_ packet: [UInt8], to hardware: [UInt8]) throws(SystemError) {
        precondition(hardware.count == 6)
        _ = try checkShim(
            "send a packet on interface \(interfaceIndex)",
            clinux_packet_send(socket.raw, interfaceIndex, hardware, packet, packet.count))
    }

    /// The next packet, cut after `bytesMax`; nil if none comes within `timeout`. It blocks.
    package borrowing func receive(bytesMax: Int, within timeout: Duration) throws(SystemError)
        -> [UInt8]?
    {
        var wanted = pollfd(fd: socket.raw, events: Int16(POLLIN), revents: 0)
        let milliseconds = Int32(
            clamping: max(
                0,
                timeout.components.seconds * 1000 + timeout.components.attoseconds
                    / 1_000_000_000_000_000
            ))
        guard poll(&wanted, 1, milliseconds) > 0 else { return nil }
        let raw = socket.raw
        var buffer = [UInt8](repeating: 0, count: bytesMax)
        do throws(SystemError) {
            let count = try check("read from a packet socket") {
                buffer.withUnsafeMutableBytes {
                    recv(raw, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
                }
            }
            buffer.removeLast(bytesMax - count)
            return buffer
        } catch {
            guard error.code == EAGAIN || error.code == ENETDOWN else { throw error }
            return nil
        }
    }
}
