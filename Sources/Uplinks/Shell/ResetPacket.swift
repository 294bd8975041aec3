import Base
package import Linux

/// The TCP segments that end a connection of a LAN client whose way has gone, written in its server's name.
///
/// A reset counts only with the exact sequence number that the client expects (RFC 5961, section 3.2). The client
/// tells it: it answers a SYN within a connection by a "challenge ACK" (section 4.2) with that number.
package enum ResetPacket {
    private static let headerBytes = 40

    /// The question: a SYN from the server.
    package static func question(_ connection: Conntrack.Connection) -> [UInt8] {
        segment(connection, sequence: 0, flags: 0x02)
    }

    /// The reset, with the number that the challenge has told.
    package static func reset(_ connection: Conntrack.Connection, sequence: UInt32) -> [UInt8] {
        segment(connection, sequence: sequence, flags: 0x04)
    }

    /// The connection that a packet of a client belongs to, and the sequence number that it expects next; nil if it is
    /// no TCP segment with an acknowledgement.
    package static func challenge(_ packet: [UInt8]) -> (Conntrack.Connection, expects: UInt32)? {
        guard packet.count >= 20, packet[0] >> 4 == 4, packet[9] == 6 else { return nil }
        let header = Int(packet[0] & 0x0f) * 4
        guard header >= 20, packet.count >= header + 20 else { return nil }
        func number(_ offset: Int, _ count: Int) -> UInt32 {
            packet[offset..<(offset + count)].reduce(0) { $0 << 8 | UInt32($1) }
        }
        // ACK, neither SYN nor RST.
        guard packet[header + 13] & 0x16 == 0x10 else { return nil }
        return (
            Conntrack.Connection(
                client: IPv4Address(value: number(12, 4)),
                clientPort: UInt16(number(header, 2)),
                server: IPv4Address(value: number(16, 4)),
                serverPort: UInt16(number(header + 2, 2))), number(header + 8, 4)
        )
    }

    private static func segment(
        _ connection: Conntrack.Connection, sequence: UInt32, flags: UInt8
    ) -> [UInt8] {
        var packet: [UInt8] = [0x45, 0, 0, UInt8(headerBytes), 0, 0, 0x40, 0, 64, 6, 0, 0]
        packet += connection.server.bytes + connection.client.bytes
        set(EchoPacket.checksum(packet), &packet, at: 10)
        var segment = big(connection.serverPort) + big(connection.clientPort) + big(sequence)
        segment += [0, 0, 0, 0, 0x50, flags, 0x20, 0, 0, 0, 0, 0]
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
