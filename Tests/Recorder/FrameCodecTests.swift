import Base
import Recorder
import TestSupport
import Testing

@Suite struct FrameCodecTests {
    @Test("the checksum is CRC32C: the examples of RFC 3720 B.4 and of the catalogue")
    func checksum() {
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xe306_9283)
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(CRC32C.checksum([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
        let parts = CRC32C.checksum(Array("6789".utf8), after: CRC32C.checksum(Array("12345".utf8)))
        #expect(parts == 0xe306_9283)
    }

    private func frame(_ readings: [Reading], seed: UInt32 = 7) throws -> [UInt8] {
        var builder = FrameBuilder(bootID: bootID, base: try #require(readings.first).time)
        for reading in readings {
            let isAdded = builder.add(reading)
            #expect(isAdded)
        }
        let bytes = builder.sealed(first: 100, seed: seed)
        #expect(bytes.count <= builder.frameBytes)
        return bytes
    }

    @Test(arguments: 1...50) func roundTrip(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let readings = (0...Int.random(in: 0..<200, using: &random)).map { _ in
            randomReading(&random)
        }
        let bytes = try frame(readings)
        let records = try #require(FrameCodec.records(bytes[...], seed: 7))
        #expect(records.map(\.reading) == readings)
        #expect(records.map(\.sequence) == (0..<UInt64(readings.count)).map { 100 + $0 })
        #expect(records.allSatisfy { $0.bootID == bootID })
        #expect(FrameCodec.records(bytes[...], seed: 8) == nil, "another segment's frame")
    }

    @Test("a tag of one poll costs few bytes: its names are told once")
    func compactness() throws {
        let readings = (0..<1000).map { n in
            Reading(
                source: "plc-1", tag: "oven.temperature", value: .bool(n % 2 == 0),
                time: reading(1).time)
        }
        #expect(try frame(readings).count < 1000 * 5 + 100)
    }

    @Test("bounds: the longest reading fits into an empty frame, a full frame refuses")
    func bounds() throws {
        let name = String(repeating: "n", count: Limits.nameBytesMax)
        var longest = reading(1)
        longest.source = name
        longest.tag = name
        longest.value = .string(String(repeating: "v", count: Reading.valueBytesMax))
        #expect(FrameBuilder.accepts(longest))
        var builder = FrameBuilder(bootID: bootID, base: longest.time)
        let added = [builder.add(longest), builder.add(longest)]
        #expect(added == [true, false])
        let bytes = builder.sealed(first: 1, seed: 0)
        #expect(bytes.count <= Limits.frameBytesMax)
        #expect(FrameCodec.records(bytes[...], seed: 0)?.map(\.reading) == [longest])
        longest.tag += "n"
        #expect(!FrameBuilder.accepts(longest))
    }

    @Test("100,000 changed frames: none is taken for a whole one, none crashes")
    func fuzz() throws {
        var random = SeededGenerator(seed: 42)
        let original = try frame((0..<12).map { _ in randomReading(&random) })
        var accepted = 0
        for _ in 0..<100_000 {
            var bytes = original
            switch Int.random(in: 0..<5, using: &random) {
            case 0:
                bytes[.random(in: bytes.indices, using: &random)] ^=
                    1 << UInt8.random(in: 0..<8, using: &random)
            case 1:
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    bytes[.random(in: bytes.indices, using: &random)] = .random(
                        in: 0...255, using: &random)
                }
            case 2: bytes.removeLast(.random(in: 1...bytes.count, using: &random))
            case 3:
                bytes.insert(
                    .random(in: 0...255, using: &random),
                    at: .random(in: bytes.indices, using: &random))
            default:
                let place = Int.random(in: bytes.indices, using: &random)
                for index in place..<min(place + 64, bytes.count) { bytes[index] = 0 }
            }
            let whole = bytes.prefix(original.count)
            if FrameCodec.records(bytes[...], seed: 7) != nil, !whole.elementsEqual(original) {
                accepted += 1
            }
        }
        #expect(accepted == 0)
    }

    @Test("a body that passes its checksum but is nonsense is refused without a crash")
    func nonsense() throws {
        var random = SeededGenerator(seed: 9)
        let original = try frame((0..<3).map { reading($0) })
        for _ in 0..<20_000 {
            // As if an older version had written it: every checksum is right.
            var bytes = original
            for _ in 0..<3 {
                bytes[.random(in: 40..<bytes.count, using: &random)] = .random(
                    in: 0...255, using: &random)
            }
            let length = CRC32C.checksum(bytes[4..<8], after: 7)
            let checksum = CRC32C.checksum(bytes[12...], after: length)
            withUnsafeBytes(of: checksum.littleEndian) { bytes.replaceSubrange(8..<12, with: $0) }
            let records = FrameCodec.records(bytes[...], seed: 7)
            #expect(records == nil || records?.count == 3)
        }
    }
}
