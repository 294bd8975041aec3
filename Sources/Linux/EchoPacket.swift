package import Base

/// The ICMP echo message that we send and expect back (RFC 792, page 14): eight bytes of header, and a cookie.
package struct EchoPacket: Hashable, Sendable {
    package var identifier: UInt16
    package var sequence: UInt16
    /// The payload: whoever echoes it has seen the request.
    package var cookie: UInt64

    package init(identifier: UInt16, sequence: UInt16, cookie: UInt64) {
        self.identifier = identifier
        self.sequence = sequence
        self.cookie = cookie
    }

    /// The request: type 8, code 0.
    package var request: [UInt8] {
        var bytes: [UInt8] = [8, 0, 0, 0]
        for field in [identifier, sequence] {
            withUnsafeBytes(of: field.bigEndian) { bytes.append(contentsOf: $0) }
        }
        withUnsafeBytes(of: cookie.bigEndian) { bytes.append(contentsOf: $0) }
        let checksum = Self.checksum(bytes)
        bytes[2] = UInt8(truncatingIfNeeded: checksum >> 8)
        bytes[3] = UInt8(truncatingIfNeeded: checksum)
        return bytes
    }

    /// The Internet checksum (RFC 1071); 0 over a message that contains its own.
    package static func checksum(_ bytes: some Sequence<UInt8>) -> UInt16 {
        var sum: UInt32 = 0
        var isHigh = true
        for byte in bytes {
            sum &+= isHigh ? UInt32(byte) << 8 : UInt32(byte)
            // Folded at once: no length of input overflows it.
            sum = (sum & 0xffff) + (sum >> 16)
            isHigh.toggle()
        }
        return ~UInt16(truncatingIfNeeded: sum)
    }
}

/// An echo reply as a raw socket delivers it: an IPv4 header (RFC 791), then the message.
package struct EchoReply: Hashable, Sendable {
    package let source: IPv4Address
    package let packet: EchoPacket

    /// Longest datagram worth reading: the longest IPv4 header and our message.
    package static let bytesMax = 60 + 16

    /// nil unless it is a whole, unbroken reply with a payload as long as ours.
    package init?(datagram: [UInt8]) {
        guard let first = datagram.first, first >> 4 == 4 else { return nil }
        let headerLength = Int(first & 0x0f) * 4
        guard headerLength >= 20, datagram.count == headerLength + 16,
            datagram[9] == 1,  // ICMP
            let source = IPv4Address(bytes: datagram[12..<16])
        else { return nil }
        let message = datagram[headerLength...]
        // Type 0, code 0: echo reply.
        guard message.number(at: 0, as: UInt16.self) == 0, EchoPacket.checksum(message) == 0,
            let identifier = message.number(at: 4, as: UInt16.self),
            let sequence = message.number(at: 6, as: UInt16.self),
            let cookie = message.number(at: 8, as: UInt64.self)
        else { return nil }
        self.source = source
        packet = EchoPacket(
            identifier: UInt16(bigEndian: identifier), sequence: UInt16(bigEndian: sequence),
            cookie: UInt64(bigEndian: cookie))
    }
}
