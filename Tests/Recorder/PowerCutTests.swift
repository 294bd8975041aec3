import Base
import Recorder
import Synchronization
import TestSupport
import Testing

@Suite struct PowerCutTests {
    @Test("300 power cuts with torn, dropped and reordered sectors: nothing durable is lost")
    func powerCuts() throws {
        for seed in 1...300 as ClosedRange<UInt64> {
            var random = SeededGenerator(seed: seed)
            var disk = FakeDisk()
            var kept: [UInt64: Reading] = [:]
            var n = 0
            let padMax = [200, 2000, 9000].randomElement(using: &random) ?? 200
            for boot in 1...2 as ClosedRange<UInt64> {
                var store = try store(disk, boot: BootID(high: boot, low: 0))
                let start = store.ring.lastSequence
                for _ in 0..<Int.random(in: 1...120, using: &random) {
                    let pad = Int.random(in: 1...padMax, using: &random)
                    try store.append((0...2).map { reading(n + $0, pad: pad) })
                    n += 3
                    if Int.random(in: 0..<6, using: &random) == 0 { try store.sync() }
                    if Int.random(in: 0..<30, using: &random) == 0 {
                        let batch = try store.batch(after: store.cursor, limit: 50)
                        store.acknowledge(through: batch.last?.sequence ?? 0)
                        try store.saveCursor()
                    }
                }
                // What counts as durable now must be found after the cut.
                let durable = store.durableThrough
                for record in try store.all(after: max(store.cursor, start)) {
                    #expect(record.sequence <= durable)
                    kept[record.sequence] = record.reading
                }
                let first = store.ring.firstSequence
                disk = disk.powerCut(&random)
                var after = try RecorderTests.store(disk)
                #expect(after.ring.lastSequence >= durable, "seed \(seed)")
                #expect(after.cursor <= durable, "seed \(seed)")
                let found = try after.all()
                let sequences = found.map(\.sequence)
                #expect(sequences == sequences.sorted(), "seed \(seed)")
                let bySequence = Dictionary(uniqueKeysWithValues: found.map { ($0.sequence, $0) })
                for (sequence, reading) in kept where sequence >= first && sequence <= durable {
                    guard let record = bySequence[sequence] else {
                        // Given up since, at opening: then it must have been told.
                        #expect(sequence < after.ring.firstSequence, "seed \(seed): \(sequence)")
                        continue
                    }
                    #expect(record.reading == reading, "seed \(seed): \(sequence)")
                }
                #expect(disk.state.withLock { $0.mostBytes } <= 1 << 20, "seed \(seed)")
                kept = [:]
            }
        }
    }
}
