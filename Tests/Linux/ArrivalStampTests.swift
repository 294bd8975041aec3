import Base
import Glibc
import Linux
import TestSupport
import Testing

@Suite("Arrival stamp")
struct ArrivalStampTests {
    private static let now = Instant(nanoseconds: 5_000_000_000)
    private static let wall: Int64 = 1_800_000_000_000_000_000

    private func arrival(age: Int64) -> Instant {
        ArrivalStamp.arrival(stamp: Self.wall - age, wall: Self.wall, now: Self.now)
    }

    @Test("what was stamped a while ago came that while ago")
    func ages() {
        for age: Int64 in [0, 1, 50_000_000, 1_000_000_000] {
            #expect(arrival(age: age).nanoseconds == Self.now.nanoseconds - age)
        }
        let late = ArrivalStamp.arrival(
            stamp: 0, wall: 2_000_000_000, now: Self.now, ageMax: .seconds(2))
        #expect(late.nanoseconds == 3_000_000_000)
    }

    @Test("with no stamp, or one from before or after a step of the wall clock, it is now")
    func steps() {
        for age: Int64 in [-1, -3_600_000_000_000, 1_000_000_001, 3_600_000_000_000, Self.wall] {
            #expect(arrival(age: age) == Self.now)
        }
        let impossible: [(Int64?, Int64)] = [(Int64.min, .max), (Int64.max, .min), (nil, 0)]
        for (stamp, wall) in impossible {
            #expect(ArrivalStamp.arrival(stamp: stamp, wall: wall, now: Self.now) == Self.now)
        }
    }

    /// Length, level and type, seconds, nanoseconds, as they pass on a little-endian machine.
    private static let message: [UInt64] = [
        32, UInt64(SO_TIMESTAMPNS) << 32 | UInt64(SOL_SOCKET), 1_800_000_000, 123_456_789,
    ]

    private func stamp(_ words: [UInt64], bytes: Int = 32) -> Int64? {
        words.withUnsafeBytes {
            ArrivalStamp.stamp(in: UnsafeRawBufferPointer(rebasing: $0.prefix(bytes)))
        }
    }

    @Test("a control message is read, and nothing but a whole one of the right kind")
    func control() {
        #expect(stamp(Self.message) == 1_800_000_000_123_456_789)
        for bytes in 0..<32 { #expect(stamp(Self.message, bytes: bytes) == nil) }
        // Too short; another level; another type.
        let (whole, kind) = (Self.message[0], Self.message[1])
        let wrong: [(Int, UInt64)] = [(0, whole - 1), (1, kind + 1), (1, kind + (1 << 32))]
        for (word, value) in wrong {
            var other = Self.message
            other[word] = value
            #expect(stamp(other) == nil, "word \(word)")
        }
    }
}

/// On the kernel's loopback, in a network namespace of its own.
@Suite("Echo socket", .enabled(if: NetworkNamespace.isAvailable), .timeLimit(.minutes(1)))
struct EchoSocketTests {
    @Test("behaviour 4: an answer that is read late tells when it came")
    func readLate() throws {
        let late = try NetworkNamespace.run { () throws -> Duration in
            let host = IPv4Address(value: 0x7f00_0001)
            let clock = SystemClock()
            let socket = try EchoSocket()
            try socket.bind(to: "lo", source: host)
            var late = Duration.zero
            // The kernel begins to stamp a moment after it was asked; until then it takes the time of reading.
            for sequence: UInt16 in 0..<100 where late < .milliseconds(30) {
                let sentAt = clock.now()
                try socket.send(
                    EchoPacket(identifier: 1, sequence: sequence, cookie: 2), to: host)
                var waiting = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
                poll(&waiting, 1, 10_000)
                usleep(50_000)
                let readAt = clock.now()
                guard let (datagram, arrival) = try socket.receive() else { break }
                #expect(EchoReply(datagram: datagram)?.packet.sequence == sequence)
                #expect(sentAt <= arrival && arrival <= clock.now())
                late = readAt - arrival
            }
            return late
        }
        #expect(late >= .milliseconds(30))
    }
}
