import Base
import Glibc
import Linux
import Recorder
import Synchronization
import TestSupport
import Testing

/// The power goes in the middle of anything: of a commit, of sealing, of giving up a segment, of opening.
@Suite struct PowerCutTests {
    /// How many cuts: some hundreds, or as many as the benchmark asks for.
    private static var cuts: Int {
        getenv("DRAWBRIDGE_POWER_CUTS").flatMap { Int(String(cString: $0)) } ?? 240
    }

    /// What one run of seeds has seen.
    private struct Tally {
        var cuts = 0
        var whileOpening = 0
        var durableAlarms = 0
        var durableSamples = 0
        var unsynced = 0
        var lostAlarms = 0
        var lostSamples = 0
        var otherReadings = 0
    }

    @Test(
        "power cuts with torn, dropped and reordered sectors: no accepted alarm lost, no id twice")
    func powerCuts() throws {
        var tally = Tally()
        var seed: UInt64 = 0
        while tally.cuts < Self.cuts {
            seed += 1
            try run(seed, &tally)
        }
        print(
            "power cuts: \(tally.cuts), \(tally.whileOpening) of them while opening; "
                + "alarms accepted: \(tally.durableAlarms), lost: \(tally.lostAlarms); "
                + "synced samples: \(tally.durableSamples), lost untold: \(tally.lostSamples); "
                + "not yet synced and gone: at most \(tally.unsynced); "
                + "ids used twice: \(tally.otherReadings)")
    }

    private func run(_ seed: UInt64, _ tally: inout Tally) throws {
        var random = SeededGenerator(seed: seed)
        var disk = FakeDisk()
        var durable: [UInt64: (reading: Reading, isAlarm: Bool)] = [:]
        var delivered: [UInt64: Reading] = [:]
        var cursor: UInt64 = 0
        var n = 0
        for boot in 1...4 as ClosedRange<UInt64> {
            disk.state.withLock { $0.changesLeft = Int.random(in: 1...150, using: &random) }
            do {
                var store = try store(disk, quota: 1 << 20, boot: BootID(high: boot, low: 0))
                try check(&store, durable, delivered, seed, &tally)
                cursor = max(cursor, store.cursor)
                while !disk.state.withLock({ $0.isOff }) {
                    try step(&store, disk, &n, &durable, &delivered, &tally, &random)
                }
                tally.unsynced += Int(store.lastSequence - store.durableThrough)
            } catch let error as SystemError {
                #expect(disk.state.withLock { $0.isOff }, "seed \(seed): \(error)")
                tally.whileOpening += 1
            }
            tally.cuts += 1
            disk = disk.powerCut(&random)
        }
        var store = try store(disk, quota: 1 << 20)
        #expect(store.cursor <= store.lastSequence, "seed \(seed)")
        try check(&store, durable, delivered, seed, &tally)
        #expect(disk.state.withLock { $0.mostBytes } <= 1 << 20, "seed \(seed)")
    }

    private func step(
        _ store: inout RingStore, _ disk: FakeDisk, _ n: inout Int,
        _ durable: inout [UInt64: (reading: Reading, isAlarm: Bool)],
        _ delivered: inout [UInt64: Reading], _ tally: inout Tally,
        _ random: inout SeededGenerator
    ) throws {
        let isAlarm = Int.random(in: 0..<5, using: &random) == 0
        let pad = isAlarm ? 10 : Int.random(in: 1...6000, using: &random)
        var readings: [(Reading, Bool)] = []
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            n += 1
            readings.append((noise(n, bytes: pad, &random), isAlarm))
        }
        let first = store.nextSequence
        try store.append(readings.map(\.0), as: isAlarm ? .alarm : .sample)
        guard isAlarm || Int.random(in: 0..<3, using: &random) == 0 else { return }
        try store.sync()
        guard !disk.state.withLock({ $0.isOff }) else { return }
        for record in try store.all(after: first - 1)
        where record.reading.source != LossReport.source {
            let isAlarm = readings.contains { $0.0 == record.reading && $0.1 }
            durable[record.sequence] = (record.reading, isAlarm)
            if isAlarm { tally.durableAlarms += 1 } else { tally.durableSamples += 1 }
            delivered[record.sequence] = record.reading
        }
        if Int.random(in: 0..<10, using: &random) == 0 {
            let batch = try store.batch(after: store.cursor, limit: 30)
            for record in batch { delivered[record.sequence] = record.reading }
            store.acknowledge(through: batch.last?.sequence ?? 0)
        }
    }

    private func check(
        _ store: inout RingStore, _ durable: [UInt64: (reading: Reading, isAlarm: Bool)],
        _ delivered: [UInt64: Reading], _ seed: UInt64, _ tally: inout Tally
    ) throws {
        let records = try store.all()
        let sequences = records.map(\.sequence)
        #expect(sequences == Set(sequences).sorted(), "seed \(seed)")
        let there = Dictionary(uniqueKeysWithValues: records.map { ($0.sequence, $0.reading) })
        for (sequence, reading) in delivered {
            if let now = there[sequence] {
                if now != reading { tally.otherReadings += 1 }
                #expect(now == reading, "seed \(seed): \(sequence) names another reading")
            }
        }
        for (sequence, kept) in durable where there[sequence] == nil {
            // Given up to make room: not an alarm, and told.
            if kept.isAlarm { tally.lostAlarms += 1 }
            #expect(!kept.isAlarm, "seed \(seed): alarm \(sequence) is gone")
            let isTold = records.losses.contains { loss in
                loss.from.map { $0 <= sequence } ?? false
                    && loss.through.map { $0 >= sequence } ?? false
                    && loss.reason.contains("ring full")
            }
            if !isTold, sequence > store.cursor { tally.lostSamples += 1 }
            #expect(
                isTold || sequence <= store.cursor,
                "seed \(seed): \(sequence) is gone; \(records.losses)")
        }
    }
}
