import Base
import Linux
import TestSupport
import Testing

@testable import Recorder

/// Stores of the format before this one.
@Suite struct FormatTests {
    private static let otherBoot = BootID(high: 5, low: 6)

    /// What the store in the fixture was given, in order: 20 readings and a restart; 10 alarms and 10 more, all sealed;
    /// 30 that only the journal has. Up to 10 it was delivered.
    private var given: [Reading] {
        var random = SeededGenerator(seed: 42)
        return (0..<70).map { _ in randomReading(&random) }
    }

    /// Files as lines `NAME BYTES`, each followed by those of its pages that hold something, `@OFFSET HEX`.
    private func disk() throws -> FakeDisk {
        let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let disk = FakeDisk()
        var (name, content): (String, [UInt8]) = ("", [])
        for line in try SmallFile.readText("/\(folder)/Stores/format-2.txt").split(separator: "\n")
        {
            let words = line.split(separator: " ")
            if words[0].hasPrefix("@") {
                var place = try #require(Int(words[0].dropFirst()))
                var digits = words[1].utf8[...]
                while digits.count >= 2 {
                    content[place] = try #require(UInt8(String(digits.prefix(2)) ?? "", radix: 16))
                    place += 1
                    digits = digits.dropFirst(2)
                }
            } else {
                if !name.isEmpty { disk.set(name, content) }
                name = String(words[0])
                content = [UInt8](repeating: 0, count: try #require(Int(words[1])))
            }
        }
        disk.set(name, content)
        return disk
    }

    /// The format before this one has no word on it.
    private func exactly(_ records: [Record]) -> [String] {
        records.map { record in
            var reading = record.reading
            reading.isTimedBySource = false
            return "\(record.sequence) \(reading)"
        }
    }

    @Test("behaviour 9.5: a store of the format before opens, keeps everything, and goes on")
    func before() throws {
        let disk = try disk()
        let expected = given.enumerated().map {
            Record(sequence: UInt64($0 + 1), bootID: bootID, reading: $1)
        }
        var records: [Record] = []
        do {
            var store = try store(disk)
            #expect(store.cursor == 10)
            #expect(store.lost == 0)
            #expect(store.damagedBlocks == 0)
            records = try store.all()
            #expect(exactly(records) == exactly(expected))
            #expect(records[0..<20].allSatisfy { $0.bootID == Self.otherBoot })
            #expect(records[20...].allSatisfy { $0.bootID == bootID })
            // What it was is not known of its times: none is corrected.
            _ = store.clockIsKept(
                Timestamp(monotonic: .boot, wall: WallTime(milliseconds: 1_800_000_000_000)))
            let left = try store.all()
            #expect(exactly(left) == exactly(records))
            try store.append((1...30).map { reading($0) })
            try store.seal()
            try store.append([reading(31)])
            try store.sync()
        }
        var again = try store(disk)
        let all = try again.all()
        #expect(exactly(all.dropLast(31)) == exactly(records))
        #expect(all.map(\.sequence) == Array(1...101))
        #expect(again.lost == 0)
        // Blocks of both formats in one chain of hashes.
        let verdict = try LogReader(disk).verify { _ in true }
        #expect((verdict.damaged, verdict.unchained) == (0, 0))
        #expect(verdict.blocks >= 3)
    }
}
