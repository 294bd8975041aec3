import Base
import Recorder
import TestSupport
import Testing

@Suite struct RingTests {
    @Test("the plan for 8 GB: segments of 32 MiB; for 1 MiB: of 128 KiB")
    func plan() {
        let large = RingPlan(quota: ByteSize(bytes: 8_000_000_000))
        #expect(large.segmentBytes == 32 << 20)
        #expect(large.budget / large.segmentBytes == 238)
        let small = RingPlan(quota: ByteSize(bytes: 1 << 20))
        #expect(small.segmentBytes == 128 << 10)
        #expect(small.budget / small.segmentBytes == 7)
    }

    @Test("a longest frame and a loss record fit into every segment")
    func room() {
        var ring = Ring(plan: RingPlan(quota: ByteSize(bytes: 1 << 20)))
        #expect(!ring.hasRoom(forFrame: 1, isLoss: true), "no segment is open")
        ring.segmentBegun(bytes: SegmentHeader.bytes, at: WallTime(milliseconds: 0))
        #expect(ring.hasRoom(forFrame: Limits.frameBytesMax, isLoss: false))
        let rest = Int(ring.plan.segmentBytes) - SegmentHeader.bytes
        let reserve = Int(RingPlan.lossReserveBytes)
        #expect(ring.hasRoom(forFrame: rest - reserve, isLoss: false))
        #expect(!ring.hasRoom(forFrame: rest - reserve + 1, isLoss: false))
        #expect(ring.hasRoom(forFrame: rest, isLoss: true))
        #expect(!ring.hasRoom(forFrame: rest + 1, isLoss: true))
    }

    @Test("followed blindly, the ring's decisions keep the quota, whatever is written")
    func boundHolds() {
        for seed in 1...200 as ClosedRange<UInt64> {
            var random = SeededGenerator(seed: seed)
            let quota = Int64.random(in: 1 << 20...8 << 20, using: &random)
            var ring = Ring(
                plan: RingPlan(quota: ByteSize(bytes: quota)),
                foreignBytes: .random(in: 0...300_000, using: &random) / 4096 * 4096)
            for _ in 0..<400 {
                let frame = Int.random(in: 100...Limits.frameBytesMax, using: &random)
                if !ring.hasRoom(forFrame: frame, isLoss: false) {
                    for _ in 0..<ring.evictionsForNewSegment { ring.oldestRemoved() }
                    ring.segmentBegun(
                        bytes: SegmentHeader.bytes, at: WallTime(milliseconds: 0))
                }
                ring.frameWritten(bytes: frame, records: 3)
                let used = ring.segments.reduce(ring.foreignBytes) {
                    $0 + RingPlan.footprint($1.bytes)
                }
                #expect(used <= ring.plan.budget, "seed \(seed)")
                let index = ring.index(holding: ring.lastSequence)
                #expect(index == ring.segments.count - 1, "seed \(seed)")
            }
            for (index, segment) in ring.segments.enumerated() {
                #expect(ring.index(holding: segment.firstSequence) == index)
                #expect(ring.index(holding: ring.lastSequence(at: index)) == index)
            }
        }
    }

    @Test func namesSortByNumber() {
        #expect(SegmentName.text(7) == "00000000000000000007.ring")
        #expect(SegmentName.number("00000000000000000007.ring") == 7)
        #expect(SegmentName.number(SegmentName.text(.max)) == .max)
        for wrong in ["7.ring", "cursor", "0000000000000000000x.ring", ""] {
            #expect(SegmentName.number(wrong) == nil)
        }
    }
}
