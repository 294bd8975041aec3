import Base
package import Linux

/// The TCP segment by which a connection of a LAN client ends whose way has gone, written in its server's name.
///
/// A reset counts only with the exact sequence number that the client expects (RFC 5961, section 3.2). The client
/// tells it: it answers a SYN within a connection by a "challenge ACK" (section 4.2) with that number, which the kernel, that
/// knows the connection no more, refuses with the reset (`FlowRules`).
package enum ResetPacket {
    private static let headerBytes = 40

    /// The question: a SYN from the server.
    package static func question(_ connection: Conntrack.Connection) -> [UInt8] {
        var packet: [UInt8] = [0x45, 0, 0, UInt8(headerBytes), 0, 0, 0x40, 0, 64, 6, 0, 0]
        packet += connection.server.bytes + connection.client.bytes
        set(EchoPacket.checksum(packet), &packet, at: 10)
        var segment = big(connection.serverPort) + big(connection.clientPort)
        segment += [0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x02, 0x20, 0, 0, 0, 0, 0]
        let pseudo = packet[12..<20] + [0, 6] + big(UInt16(segment.count))
        set(EchoPacket.checksum(pseudo + segment), &segment, at: 16)
        return packet + segment
    }

    private static func big<I: FixedWidthInteger>(_ value: I) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    private static func set(_ sum: UInt16, _ bytes: inout [UInt8], at offset: Int) {
        bytes[offset] = UInt8(sum >> 8)
        bytes[offset + 1] = UInt8(truncatingIfNeeded: sum)
    }
}
