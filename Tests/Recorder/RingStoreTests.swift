import Base
import Recorder
import Synchronization
import TestSupport
import Testing

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

    @Test("reading on is reading on: the whole store is read about once, in whatever steps")
    func sequentialReading() throws {
        let disk = FakeDisk()
        var store = try store(disk, quota: 4 << 20)
        for n in 1...2000 { try store.append([reading(n, pad: 1000)]) }
        try store.sync()
        disk.state.withLock { $0.bytesRead = 0 }
        #expect(try store.all(limit: 7).count == 2000)
        let read = disk.state.withLock { $0.bytesRead }
        #expect(read < Int(store.ring.bytes) * 2)
    }

    @Test("a batch is bounded in bytes as well")
    func batchBytes() throws {
        var store = try store(FakeDisk(), quota: 8 << 20)
        for n in 1...100 { try store.append([reading(n, pad: 60_000)]) }
        try store.sync()
        let count = try store.batch(after: 0, limit: 100).count
        #expect((17...19).contains(count))
    }

    @Test("never one byte over the quota, whatever happens", arguments: 1...12)
    func bound(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let disk = FakeDisk()
        let quota = Int64.random(in: 1 << 20...3 << 20, using: &random)
        var store = try store(disk, quota: quota)
        var n = 0
        for _ in 0..<600 {
            let pad = Int.random(in: 0...5000, using: &random)
            let count = Int.random(in: 1...10, using: &random)
            try store.append((0..<count).map { reading(n + $0, pad: pad) })
            n += count
            switch Int.random(in: 0..<20, using: &random) {
            case 0: try store.sync()
            case 1:
                try store.sync()
                store.acknowledge(through: store.durableThrough)
                try store.saveCursor()
            case 2: store = try Self.reopen(disk, quota)
            default: break
            }
        }
        #expect(disk.state.withLock { $0.mostBytes } <= Int(quota))
        #expect(store.ring.firstSequence > 1, "the ring has wrapped")
    }

    private static func reopen(_ disk: FakeDisk, _ quota: Int64) throws -> RingStore {
        try RecorderTests.store(disk, quota: quota)
    }

    @Test("a smaller quota holds as soon as the store is open")
    func shrink() throws {
        let disk = FakeDisk()
        var large = try store(disk, quota: 16 << 20)
        for n in 0..<2000 { try large.append([reading(n, pad: 5000)]) }
        try large.sync()
        var small = try store(disk, quota: 1 << 20)
        #expect(disk.state.withLock { $0.total } <= 1 << 20)
        try small.append([reading(2000)])
        try small.sync()
        let records = try small.all()
        #expect(records.last?.reading == reading(2000))
        #expect(records.losses.count == 1)
        let loss = try #require(records.losses.first)
        #expect(small.lost == loss.count)
        #expect(loss.from == 1)
    }

    @Test("everything is delivered or told as lost, to the record", arguments: 1...6)
    func lossIsExact(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let disk = FakeDisk()
        var store = try store(disk)
        var written: [String: UInt64] = [:]
        var acknowledged: [Record] = []
        for n in 0..<4000 {
            let source = ["plc-1", "plc-2", "plc-3"].randomElement(using: &random) ?? ""
            try store.append([
                reading(n, source: source, pad: .random(in: 1...1500, using: &random))
            ])
            written[source, default: 0] += 1
            if Int.random(in: 0..<800, using: &random) == 0 {
                try store.sync()
                let batch = try store.batch(
                    after: store.cursor, limit: .random(in: 1...800, using: &random))
                acknowledged += batch
                store.acknowledge(through: batch.last?.sequence ?? 0)
                try store.saveCursor()
            }
            if Int.random(in: 0..<900, using: &random) == 0 {
                try store.sync()
                let lost = store.lost
                store = try RecorderTests.store(disk)
                #expect(store.lost == lost, "the count of losses is kept")
            }
        }
        try store.sync()
        let delivered = acknowledged + (try store.all(after: store.cursor))
        let losses = delivered.losses
        #expect(!losses.isEmpty)
        let sequences = Set(delivered.map(\.sequence))
        #expect(sequences.count == delivered.count)
        var missing = Set(1...store.ring.lastSequence).subtracting(sequences)
        #expect(losses.reduce(0) { $0 + $1.count } == UInt64(missing.count))
        #expect(store.lost == UInt64(missing.count))
        for loss in losses {
            let from = try #require(loss.from)
            let through = try #require(loss.through)
            missing.subtract(from...through)
            #expect(loss.reason == "ring full")
        }
        #expect(missing.isEmpty)
        // Each source's readings are either there or counted.
        for (source, count) in written {
            let there = delivered.readings.count { $0.source == source }
            let lost = losses.reduce(0) { $0 + ($1.sources[source] ?? 0) }
            #expect(UInt64(there) + lost == count)
        }
        #expect(losses.last?.total == store.lost)
    }

    @Test("what was acknowledged is given up without a word")
    func noLoss() throws {
        var store = try store(FakeDisk())
        for n in 0..<4000 {
            try store.append([reading(n, pad: 1000)])
            try store.sync()
            store.acknowledge(through: store.durableThrough)
        }
        #expect(store.ring.firstSequence > 1)
        #expect(store.lost == 0)
        #expect(try store.all().losses.isEmpty)
    }

    @Test("a reading that is too long is counted and told")
    func tooLong() throws {
        var store = try store(FakeDisk())
        try store.append([reading(1), reading(2, pad: 70_000), reading(3)])
        try store.writePendingLoss()
        try store.sync()
        let records = try store.all()
        #expect(records.readings == [reading(1), reading(3)])
        #expect(records.losses.map(\.reason) == ["too large"])
        #expect(records.losses.map(\.from) == [nil])
        #expect(store.lost == 1)
    }
}
