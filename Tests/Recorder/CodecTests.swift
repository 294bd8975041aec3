import Base
import TestSupport
import Testing

@testable import Recorder

@Suite struct CodecTests {
    @Test("the checksum is CRC32C: the examples of RFC 3720 B.4 and of the catalogue")
    func checksum() {
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xe306_9283)
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(CRC32C.checksum([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
        let parts = CRC32C.checksum(Array("6789".utf8), after: CRC32C.checksum(Array("12345".utf8)))
        #expect(parts == 0xe306_9283)
    }

    @Test("the hash is SHA-256: the examples of FIPS 180-4")
    func hash() {
        func hex(_ text: String) -> String {
            SHA256.hash(Array(text.utf8)).map {
                let digits = String($0, radix: 16)
                return digits.count == 1 ? "0" + digits : digits
            }.joined()
        }
        #expect(hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    }

    private func rows(_ readings: [Reading]) -> Rows {
        var rows = Rows()
        for (index, reading) in readings.enumerated() {
            rows.append(reading, sequence: UInt64(100 + index + index / 7), recordClass: .log)
        }
        return rows
    }

    private func coded(_ rows: Rows) -> (names: [TagName], data: [UInt8]) {
        let picks = Array(0..<rows.count)
        let (names, _, map) = BlockCoder.renumber(rows, picks)
        return (names, BlockCoder.data(rows, picks, map: map))
    }

    @Test("whatever is recorded comes back to the bit", arguments: 1...200)
    func roundTrip(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let rows = rows(
            (0...Int.random(in: 0..<400, using: &random)).map { _ in randomReading(&random) })
        let (names, data) = coded(rows)
        let back = try #require(BlockCoder.rows(data[...], names: names))
        #expect(back.sequences == rows.sequences)
        #expect(back.classes == rows.classes)
        for row in 0..<rows.count {
            #expect(exactly(back.reading(at: row)) == exactly(rows.reading(at: row)))
        }
    }

    /// NaN is not equal to itself: its bits are.
    private func exactly(_ reading: Reading) -> [String] {
        let bits =
            if case .double(let value) = reading.value { value.bitPattern } else { UInt64(0) }
        return ["\(reading)", "\(bits)"]
    }

    @Test("doubles of every kind: decimals, floats, infinities, NaN, minus zero, the very small")
    func doubles() throws {
        let kinds: [[Double]] = [
            (0..<100).map { Double($0) / 10 }, (0..<100).map { Double($0) * 0.001 + 5 },
            (0..<100).map { Double(Float($0) * 1.1) }, [.nan, .infinity, -.infinity, -0.0, 0],
            [.leastNonzeroMagnitude, .greatestFiniteMagnitude, 1e15, 9.1e15, .pi],
            [23.4, 23.5, .signalingNaN],
        ]
        for values in kinds {
            let readings = values.map { value in
                Reading(source: "s", tag: "t", value: .double(value), time: reading(1).time)
            }
            let rows = rows(readings)
            let (names, data) = coded(rows)
            let back = try #require(BlockCoder.rows(data[...], names: names))
            #expect(back.values == rows.values)
        }
    }

    @Test("8,000 changed sections that pass their checksum: refused or read, never a crash")
    func nonsense() throws {
        var random = SeededGenerator(seed: 9)
        let rows = rows((0..<60).map { _ in randomReading(&random) })
        let (names, data) = coded(rows)
        let section = BlockCoder.names(names[...], counts: names.map { _ in 1 })
        for _ in 0..<8000 {
            var bytes = Bool.random(using: &random) ? data : section
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[.random(in: bytes.indices, using: &random)] = .random(
                    in: 0...255, using: &random)
            }
            if Int.random(in: 0..<4, using: &random) == 0 {
                bytes.removeLast(.random(in: 0..<bytes.count, using: &random))
            }
            if let back = BlockCoder.rows(bytes[...], names: names) {
                #expect(back.count <= Limits.blockRowsMax)
                for row in 0..<back.count { _ = back.reading(at: row) }
            }
            _ = BlockCoder.tallies(bytes[...])
        }
    }

    @Test("headers: a flipped bit anywhere in what they say is noticed")
    func headers() throws {
        var header = BlockHeader(
            form: .block, recordClass: .alarm, store: StoreID(high: 1, low: 2), generation: 3,
            bootID: bootID, firstSequence: 4, lastSequence: 9, ordinal: 5, rows: 6,
            firstWall: WallTime(milliseconds: 7), lastWall: WallTime(milliseconds: 8), cursor: 9,
            lost: 10, previous: [UInt8](repeating: 11, count: 16))
        header.nameBytes = 12
        let frame = FrameHeader(
            store: StoreID(high: 1, low: 2), generation: 3, bootID: bootID, firstSequence: 4,
            rows: 5, firstName: 6, nameBytes: 7, dataBytes: 8, payloadBytes: 9,
            payloadChecksum: 10, cursor: 11, lost: 12, settled: 3,
            tails: RecordClass.allCases.map { _ in Pool.Tail() })
        #expect(BlockHeader(header.encoded[...]) == header)
        #expect(FrameHeader(frame.encoded[...]) == frame)
        for bit in 0..<174 * 8 {
            var bytes = header.encoded
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(BlockHeader(bytes[...]) == nil)
        }
        for bit in 0..<304 * 8 {
            var bytes = frame.encoded
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(FrameHeader(bytes[...]) == nil)
        }
    }
}
