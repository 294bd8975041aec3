import Base
import Synchronization
import TestSupport
import Testing

@testable import Recorder

@Suite struct RingStoreTests {
    @Test func recordsComeBackInOrderOnceTheyAreDurable() throws {
        var store = try store(FakeDisk())
        try store.append((1...10).map { reading($0) })
        #expect(try store.all().isEmpty, "not durable yet: a power cut could take them back")
        try store.sync()
        let records = try store.all(limit: 3)
        #expect(records.map(\.sequence) == Array(1...10))
        #expect(records.map(\.reading) == (1...10).map { reading($0) })
        #expect(try store.all(after: 7).map(\.sequence) == [8, 9, 10])
    }

    @Test("sealed or not, and after a restart: the same records in the same order")
    func sealing() throws {
        let disk = FakeDisk()
        var store = try store(disk, quota: 4 << 20)
        var expected: [Reading] = []
        for n in 1...500 {
            let recordClass = RecordClass.allCases[n % 4]
            try store.append([reading(n), reading(n, source: "plc-2", pad: 3)], as: recordClass)
            expected += [reading(n), reading(n, source: "plc-2", pad: 3)]
            if n % 120 == 0 { try store.seal() }
        }
        try store.sync()
        let records = try store.all(limit: 77)
        #expect(records.map(\.reading) == expected)
        #expect(records.map(\.sequence) == Array(1...1000))
        #expect(records.allSatisfy { $0.bootID == bootID })
        var again = try RecorderTests.store(disk, quota: 4 << 20, boot: BootID(high: 7, low: 7))
        #expect(try again.all() == records)
        try again.append([reading(1001)])
        try again.sync()
        #expect(try again.all(after: 1000).map(\.sequence) == [1001])
        #expect(again.lost == 0)
    }

    @Test(
        "reading on while blocks are being sealed and classes appear: nothing twice, nothing left out"
    )
    func readingOn() throws {
        var random = SeededGenerator(seed: 3)
        var store = try store(FakeDisk(), quota: 8 << 20)
        var seen: [UInt64] = []
        for n in 0..<3000 {
            let recordClass: RecordClass = n > 1500 && n % 9 == 0 ? .alarm : .sample
            try store.append([reading(n, pad: n % 50)], as: recordClass)
            if n % 10 == 0 { try store.sync() }
            if Int.random(in: 0..<200, using: &random) == 0 { try store.seal() }
            if n % 3 == 0 {
                seen += try store.batch(after: seen.last ?? 0, limit: 4).map(\.sequence)
            }
        }
        try store.sync()
        seen += try store.all(after: seen.last ?? 0).map(\.sequence)
        #expect(seen == Array(1...3000))
    }

    @Test("a batch is bounded in bytes as well")
    func batchBytes() throws {
        var store = try store(FakeDisk(), quota: 64 << 20)
        for n in 1...100 { try store.append([reading(n, pad: 60_000)]) }
        try store.sync()
        let count = try store.batch(after: 0, limit: 100).count
        #expect((17...19).contains(count))
    }

    @Test("never one byte over the quota, whatever happens", arguments: 1...3)
    func bound(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let disk = FakeDisk()
        var quota = Int64.random(in: 1 << 20...3 << 20, using: &random)
        var store = try store(disk, quota: quota)
        var n = 0
        for _ in 0..<500 {
            let count = Int.random(in: 1...10, using: &random)
            try store.append(
                (0..<count).map { noise(n + $0, bytes: 2000, &random) },
                as: RecordClass.allCases.randomElement(using: &random) ?? .sample)
            n += count
            switch Int.random(in: 0..<20, using: &random) {
            case 0: try store.sync()
            case 1:
                try store.sync()
                store.acknowledge(through: store.durableThrough)
                try store.saveCursor()
            case 2:
                quota = Int64.random(in: 1 << 20...3 << 20, using: &random)
                store = try RecorderTests.store(disk, quota: quota)
                disk.state.withLock { $0.mostBytes = $0.total }
            default: break
            }
            #expect(disk.state.withLock { $0.mostBytes } <= Int(quota))
        }
        #expect(store.firstSequence > 1, "the ring has wrapped")
    }

    @Test(
        "a ring that grows loses nothing, one that shrinks loses what no longer fits, and says so")
    func resize() throws {
        var random = SeededGenerator(seed: 8)
        let disk = FakeDisk()
        var store = try store(disk, quota: 2 << 20)
        for n in 0..<400 { try store.append([noise(n, bytes: 2000, &random)]) }
        try store.sync()
        store = try RecorderTests.store(disk, quota: 6 << 20)
        for n in 400..<1500 { try store.append([noise(n, bytes: 2000, &random)]) }
        try store.sync()
        #expect(store.lost == 0)
        #expect(try store.all().count == 1500)
        var small = try RecorderTests.store(disk, quota: 2 << 20)
        #expect(disk.state.withLock { $0.total } <= 2 << 20)
        let records = try small.all()
        #expect(records.losses.contains { $0.reason == "ring made smaller" })
        #expect(UInt64(records.readings.count) + small.lost == 1500)
        #expect(records.losses.reduce(0) { $0 + $1.count } == small.lost)
        try small.append([reading(1)])
        try small.sync()
        #expect(try small.all().readings.last == reading(1))
    }

    @Test("alarms and events outlive bulk; each class keeps its share")
    func shares() throws {
        var random = SeededGenerator(seed: 5)
        var store = try store(FakeDisk(), quota: 4 << 20)
        for n in 0..<50 { try store.append([noise(n, bytes: 500, &random)], as: .alarm) }
        try store.seal()
        for n in 0..<700 { try store.append([noise(n, bytes: 8000, &random)]) }
        try store.sync()
        #expect(store.lost > 100)
        let alarms = try store.batch(after: 0, limit: 50)
        #expect(alarms.map(\.sequence) == Array(1...50))
        // A flood of logs takes from the samples until both have their share, and then from itself.
        let before = store.pool[.sample].count
        for n in 0..<700 { try store.append([noise(n, bytes: 8000, &random)], as: .log) }
        #expect(store.pool[.log].count > 4)
        #expect(store.pool[.sample].count >= before * 6 / 10)
        #expect(try store.batch(after: 0, limit: 50).map(\.sequence) == Array(1...50))
    }

    @Test("a ring wrapped 20 times with a dead consumer: delivered + lost = appended, of every tag")
    func lossIsExact() throws {
        var random = SeededGenerator(seed: 20)
        let disk = FakeDisk()
        let quota: Int64 = 1 << 20
        var store = try store(disk, quota: quota)
        var written: [String: UInt64] = [:]
        var bytes = 0
        while bytes < 20 * Int(quota) {
            var readings: [Reading] = []
            for _ in 0..<20 {
                var one = noise(bytes, bytes: 3000, &random)
                one.tag = "t\(Int.random(in: 0...9, using: &random))"
                one.source = "plc-\(Int.random(in: 0...4, using: &random))"
                written[one.source + "/" + one.tag, default: 0] += 1
                bytes += 3000
                readings.append(one)
            }
            try store.append(
                readings, as: Int.random(in: 0..<9, using: &random) == 0 ? .log : .sample)
            if Int.random(in: 0..<400, using: &random) == 0 {
                try store.sync()
                let lost = store.lost
                store = try RecorderTests.store(disk, quota: quota)
                #expect(store.lost >= lost, "the count of losses is kept")
            }
        }
        try store.sync()
        #expect(disk.state.withLock { $0.mostBytes } <= Int(quota))
        expectExact(try store.all(), store, written)
    }

    @Test("what was acknowledged is given up without a word")
    func noLoss() throws {
        var random = SeededGenerator(seed: 1)
        var store = try store(FakeDisk())
        for n in 0..<1500 {
            try store.append([noise(n, bytes: 2000, &random)])
            try store.sync()
            store.acknowledge(through: store.durableThrough)
        }
        #expect(store.firstSequence > 1)
        #expect(store.lost == 0)
        #expect(try store.all().losses.isEmpty)
    }

    @Test("a reading that is too long is counted and told")
    func tooLong() throws {
        var store = try store(FakeDisk())
        try store.append([reading(1), reading(2, pad: 70_000), reading(3)])
        try store.sync()
        let records = try store.all()
        #expect(records.readings == [reading(1), reading(3)])
        #expect(records.losses.map(\.reason) == ["too large"])
        #expect(records.losses.map(\.from) == [nil])
        #expect(store.lost == 1)
    }

    @Test("10,000 tags, tags that change their type, longest names")
    func manyTags() throws {
        let disk = FakeDisk()
        var store = try store(disk, quota: 16 << 20)
        var expected: [Reading] = []
        for round in 0..<2 {
            let readings = (0..<10_000).map { n in
                Reading(
                    source: "plc-\(n % 50)", tag: "tag \(n)",
                    value: round == 0 ? .integer(Int64(n)) : .string("\(n)"),
                    time: reading(round).time)
            }
            try store.append(readings)
            expected += readings
        }
        var longest = reading(1)
        longest.source = String(repeating: "s", count: Limits.nameBytesMax)
        longest.tag = String(repeating: "t", count: Limits.nameBytesMax)
        longest.value = .string(String(repeating: "v", count: Reading.valueBytesMax))
        try store.append([longest])
        try store.sync()
        #expect(try store.all().map(\.reading) == expected + [longest])
        store = try RecorderTests.store(disk, quota: 16 << 20)
        #expect(try store.all().map(\.reading) == expected + [longest])
    }
}

/// Each record is there once or told as lost, in all and of each tag.
func expectExact(_ records: [Record], _ store: RingStore, _ written: [String: UInt64]) {
    var told: [String: UInt64] = [:]
    for record in records.readings { told[record.source + "/" + record.tag, default: 0] += 1 }
    for loss in records.losses {
        for (source, tags) in loss.tags {
            for (tag, count) in tags { told[source + "/" + tag, default: 0] += count }
        }
    }
    // A loss record that was itself given up is counted within the one that tells of it.
    told[LossReport.source + "/" + LossReport.tag] = nil
    #expect(told == written)
    #expect(Set(records.map(\.sequence)).count == records.count)
    #expect(records.losses.reduce(0) { $0 + $1.count } == store.lost)
}

/// A reading that cannot be compressed.
func noise(_ n: Int, bytes: Int, _ random: inout some RandomNumberGenerator) -> Reading {
    let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-".utf8)
    let text = (0..<bytes).map { _ in letters[Int.random(in: 0..<64, using: &random)] }
    return Reading(
        source: "plc-1", tag: "text", value: .string(String(decoding: text, as: UTF8.self)),
        time: reading(n).time)
}
