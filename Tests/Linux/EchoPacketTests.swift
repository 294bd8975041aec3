import Base
import Linux
import TestSupport
import Testing

@Suite("ICMP echo")
struct EchoPacketTests {
    static let packet = EchoPacket(
        identifier: 0x1234, sequence: 0x0007, cookie: 0x0102_0304_0506_0708)

    /// A reply to `packet` from 1.1.1.1 to 10.1.0.2, as a raw socket delivers it.
    static let reply: [UInt8] = [
        0x45, 0x00, 0x00, 0x24,  // version 4, header of 5 words; total length 36
        0xbe, 0xef, 0x40, 0x00,  // identification; don't fragment
        0x39, 0x01, 0x00, 0x00,  // TTL 57; protocol 1 (ICMP); checksum (the kernel's business)
        0x01, 0x01, 0x01, 0x01,  // source
        0x0a, 0x01, 0x00, 0x02,  // destination
        0x00, 0x00, 0xdd, 0xb0,  // type 0 (echo reply), code 0; checksum
        0x12, 0x34, 0x00, 0x07,  // identifier; sequence
        0x01, 0x02, 0x03, 0x04,  // cookie
        0x05, 0x06, 0x07, 0x08,
    ]

    @Test("a request, byte by byte")
    func request() {
        #expect(
            Self.packet.request == [
                0x08, 0x00, 0xd5, 0xb0,  // type 8 (echo), code 0; checksum
                0x12, 0x34, 0x00, 0x07,  // identifier; sequence
                0x01, 0x02, 0x03, 0x04,  // cookie
                0x05, 0x06, 0x07, 0x08,
            ])
    }

    @Test("the checksum of RFC 1071 §3, and of an odd number of bytes")
    func checksum() {
        let example: [UInt8] = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]
        #expect(EchoPacket.checksum(example) == ~0xddf2)
        #expect(EchoPacket.checksum([0xff]) == 0x00ff)
        #expect(EchoPacket.checksum([]) == 0xffff)
        #expect(EchoPacket.checksum(Array(repeating: 0xff, count: 200_000)) == 0)
    }

    @Test("a reply is understood, also behind IP options")
    func understood() throws {
        let reply = try #require(EchoReply(datagram: Self.reply))
        #expect(reply.source == IPv4Address(value: 0x0101_0101))
        #expect(reply.packet == Self.packet)
        var withOptions = Self.reply
        withOptions[0] = 0x46
        withOptions.insert(contentsOf: [0x94, 0x04, 0x00, 0x00], at: 20)  // router alert
        #expect(EchoReply(datagram: withOptions) == reply)
    }

    @Test("whatever is not a whole reply to us is nothing")
    func refused() {
        for length in 0..<Self.reply.count {
            #expect(EchoReply(datagram: Array(Self.reply.prefix(length))) == nil)
        }
        #expect(EchoReply(datagram: Self.reply + [0]) == nil)
        // IP version, header length, protocol, type, code, checksum, cookie.
        for (offset, byte) in [
            (0, 0x65), (0, 0x44), (0, 0x4f), (9, 17), (20, 8), (21, 1), (22, 0), (35, 9),
        ] {
            var broken = Self.reply
            broken[offset] = UInt8(byte)
            #expect(EchoReply(datagram: broken) == nil, "byte \(offset)")
        }
    }

    @Test("a hundred thousand broken datagrams harm nobody", arguments: [UInt64(1), 2])
    func fuzz(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var accepted = 0
        for _ in 0..<50_000 {
            if let reply = EchoReply(datagram: random.mutate(Self.reply)) {
                accepted += 1
                #expect(reply.packet == Self.packet || reply.packet != Self.packet)
            }
        }
        // Changes of the header's unused fields leave it a reply.
        #expect(accepted > 0 && accepted < 25_000, "seed \(seed)")
    }
}

extension SeededGenerator {
    /// The bytes with a few of them changed, cut off, or made up.
    mutating func mutate(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        switch Int.random(in: 0..<8, using: &self) {
        case 0:
            bytes = (0..<Int.random(in: 0...200, using: &self)).map { _ in
                UInt8.random(in: .min ... .max, using: &self)
            }
        case 1:
            bytes.removeLast(Int.random(in: 0...bytes.count, using: &self))
        case 2:
            bytes += bytes.prefix(Int.random(in: 0...bytes.count, using: &self))
        default:
            for _ in 0..<Int.random(in: 1...4, using: &self) {
                bytes[Int.random(in: 0..<bytes.count, using: &self)] =
                    [0, 1, 4, 0x7f, 0xff, UInt8.random(in: .min ... .max, using: &self)]
                    .randomElement(using: &self) ?? 0
            }
        }
        return bytes
    }
}
