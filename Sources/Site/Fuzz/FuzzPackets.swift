/// Ethernet frames that nobody should let through, by seed: all protocols, spoofed senders, fragments, source
/// routes, IPv6 extension headers, ICMP errors about connections that do not exist, any TCP flags.
///
/// Each carries `marker`, so that one that crossed is known wherever it comes out.
package struct FuzzPackets: Sendable {
    /// Where the frames enter the router.
    package enum Side: String, CaseIterable, Sendable {
        case wan, lan
    }

    /// In every payload, and within each fragment.
    package static let marker: [UInt8] = Array("DRAWBRIDGE-FUZZ!".utf8)
    /// Longest frame that is made, without the Ethernet header.
    private static let packetBytesMax = 600

    private let side: Side
    private let header: [UInt8]
    private var state: UInt64

    package init(side: Side, from sender: [UInt8], to router: [UInt8], seed: UInt64) {
        self.side = side
        header = router + sender
        state = seed
    }

    /// The next frame.
    package mutating func next() -> [UInt8] {
        chance(10) ? header + [0x86, 0xdd] + version6() : header + [0x08, 0x00] + version4()
    }

    // MARK: chance (splitmix64)

    private mutating func number() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
    private mutating func below(_ limit: Int) -> Int { Int(number() % UInt64(limit)) }
    private mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
    private mutating func pick<T>(_ list: [T]) -> T { list[below(list.count)] }
    private mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: number()) }
    private mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in byte() } }

    // MARK: addresses

    private static let everywhere: [[UInt8]] = [
        [10, 1, 0, 2], [192, 168, 140, 1], [192, 168, 140, 10], [10, 8, 0, 5], [10, 8, 0, 20],
        [10, 1, 0, 66], [10, 1, 0, 1], [203, 0, 113, 10], [9, 9, 9, 9], [1, 1, 1, 1],
        [192, 168, 140, 255], [10, 1, 0, 255], [255, 255, 255, 255], [224, 0, 0, 1],
        [127, 0, 0, 1],
        [0, 0, 0, 0], [192, 0, 2, 66],
    ]

    private mutating func receiver() -> [UInt8] {
        let likely: [[UInt8]] =
            side == .wan
            ? [[10, 1, 0, 2], [192, 168, 140, 10], [10, 8, 0, 20]]
            : [[192, 168, 140, 1], [203, 0, 113, 10], [10, 1, 0, 66], [10, 8, 0, 20]]
        return chance(75) ? pick(likely) : chance(80) ? pick(Self.everywhere) : bytes(4)
    }

    private mutating func sender() -> [UInt8] {
        let own: [UInt8] = side == .wan ? [10, 1, 0, 66] : [192, 168, 140, 10]
        return chance(40) ? own : chance(75) ? pick(Self.everywhere) : bytes(4)
    }

    // MARK: IPv4

    private mutating func version4() -> [UInt8] {
        let protocolNumber = chance(85) ? pick([1, 1, 6, 6, 6, 6, 17, 17, 17]) : byte()
        let options = chance(8) ? sourceRoute() : []
        var payload = transport(protocolNumber)
        var packet: [UInt8] = [0x40 | UInt8(5 + options.count / 4), byte()]
        packet += big(chance(3) ? below(1500) : 20 + options.count + payload.count)
        packet += bytes(2)
        // Reserved bit, DF, MF and offset.
        packet += chance(15) ? bytes(2) : chance(50) ? [0x40, 0] : [0, 0]
        packet += [pick([1, 2, 64, 64, 64, 255]), protocolNumber, 0, 0]
        let ends = sender() + receiver()
        // With a wrong sum the kernel says nothing, whatever its rules are.
        if protocolNumber == 6, chance(90) { Self.sumTCP(&payload, ends) }
        packet += ends + options
        let sum = chance(4) ? below(65536) : Self.checksum(packet)
        packet.replaceSubrange(10..<12, with: big(sum))
        return packet + payload
    }

    /// LSRR or SSRR through the router to a machine (RFC 791 §3.1).
    private mutating func sourceRoute() -> [UInt8] {
        [pick([131, 137]), 7, 4]
            + pick([[192, 168, 140, 10], [203, 0, 113, 10], [10, 1, 0, 66]]) + [1]
    }

    private mutating func transport(_ number: UInt8) -> [UInt8] {
        let port = pick([22, 53, 67, 68, 80, 123, 443, 502, 1194, 5353, 8443, 8883, below(65536)])
        let other = chance(50) ? port : below(65536)
        switch number {
        case 1: return icmp()
        case 6:
            let flags =
                chance(50) ? pick([0x02, 0x12, 0x10, 0x04, 0x11, 0x29, 0x00, 0x3f]) : byte()
            return big(other) + big(port) + bytes(8) + [0x50, flags] + big(1024) + big(below(65536))
                + [0, 0] + Self.marker
        case 17:
            return big(other) + big(port) + big(8 + Self.marker.count) + [0, 0] + Self.marker
        case 4: return inner() + Self.marker
        case 47: return [0, 0, 8, 0] + inner() + Self.marker
        default: return bytes(8) + Self.marker + bytes(below(64))
        }
    }

    private mutating func icmp() -> [UInt8] {
        let type = chance(70) ? pick([0, 3, 4, 5, 8, 8, 11, 12, 13, 17]) : byte()
        var message: [UInt8] = [type, chance(70) ? pick([0, 1, 3, 4]) : byte(), 0, 0] + bytes(4)
        // Errors quote a packet: here one of a connection that nobody has.
        message += [3, 4, 5, 11, 12].contains(type) ? inner() + Self.marker : Self.marker
        let sum = Self.checksum(message)
        message.replaceSubrange(2..<4, with: big(sum))
        return message
    }

    private mutating func inner() -> [UInt8] {
        var packet: [UInt8] = [0x45, 0, 0, 44] + bytes(2) + [0, 0, 64, pick([6, 17]), 0, 0]
        packet += receiver() + sender()
        packet.replaceSubrange(10..<12, with: big(Self.checksum(packet)))
        return packet + big(pick([443, 502, 53])) + big(below(65536)) + [0, 24, 0, 0]
    }

    // MARK: IPv6

    private mutating func version6() -> [UInt8] {
        var payload: [UInt8] = []
        // Hop-by-hop, routing, fragment, destination options, mobility: each names what follows it.
        let chain = (0..<below(5)).map { _ in pick([0, 43, 44, 60, 135] as [UInt8]) }
        let last: UInt8 = pick([6, 17, 58, 59, byte()])
        for index in chain.indices {
            let next = index + 1 < chain.count ? chain[index + 1] : last
            payload += [next, 0] + bytes(6)
        }
        payload += bytes(20) + Self.marker
        let receivers: [[UInt8]] = [
            [0xff, 0x02] + [UInt8](repeating: 0, count: 13) + [1],
            [0xff, 0x02] + [UInt8](repeating: 0, count: 13) + [2],
            [0xfe, 0x80] + [UInt8](repeating: 0, count: 6) + bytes(8),
            [0x20, 0x01, 0x0d, 0xb8] + bytes(12),
        ]
        let sender: [UInt8] = [0xfe, 0x80] + [UInt8](repeating: 0, count: 6) + bytes(8)
        return [0x60, 0, 0, 0] + big(payload.count) + [chain.first ?? last, 255] + sender
            + pick(receivers) + payload
    }

    private func big(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xff), UInt8(value & 0xff)] }

    /// Fills in TCP's checksum, over the pseudo header of both addresses (RFC 9293 §3.1).
    static func sumTCP(_ segment: inout [UInt8], _ ends: [UInt8]) {
        segment.replaceSubrange(16..<18, with: [0, 0])
        let length = [UInt8(segment.count >> 8 & 0xff), UInt8(segment.count & 0xff)]
        let sum = checksum(ends + [0, 6] + length + segment)
        segment.replaceSubrange(16..<18, with: [UInt8(sum >> 8), UInt8(sum & 0xff)])
    }

    /// RFC 1071, of bytes whose own checksum field is zero.
    static func checksum(_ bytes: [UInt8]) -> Int {
        var sum = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += Int(bytes[index]) << 8 | (index + 1 < bytes.count ? Int(bytes[index + 1]) : 0)
        }
        while sum > 0xffff { sum = (sum & 0xffff) + sum >> 16 }
        return ~sum & 0xffff
    }
}
