import Base
import Linux

extension RingStore {
    /// Removes the oldest segments, having told first of what in them nobody has acknowledged.
    mutating func evict(_ count: Int, reason: String) throws(SystemError) {
        guard count > 0 else { return }
        var report = LossReport(reason: reason)
        var new: UInt64 = 0
        for index in 0..<count { new += tally(index, into: &report) }
        if new > 0 {
            lossToldThrough = ring.lastSequence(at: count - 1)
            lose(report, new: new)
        }
        // If there is no room for it here, the loss record will be the first of the next segment.
        if let loss = pendingLossFrame, ring.hasRoom(forFrame: loss.frameBytes, isLoss: true),
            (try? put(loss)) != nil
        {
            pendingLoss = nil
            try sync()
        }
        for _ in 0..<count {
            let oldest = ring.segments[0].number
            if position?.number == oldest { position = nil }
            try directory.remove(SegmentName.text(oldest))
            ring.oldestRemoved()
            if !ring.isOpen { file = nil }
        }
    }

    /// Adds to `report` what would be lost with a segment; returns how many records that is.
    private mutating func tally(_ index: Int, into report: inout LossReport) -> UInt64 {
        let segment = ring.segments[index]
        let first = max(segment.firstSequence, cursor + 1, lossToldThrough + 1)
        let last = ring.lastSequence(at: index)
        guard first <= last else { return 0 }
        let before = report.count
        var merged: UInt64 = 0
        var reader = (try? directory.open(SegmentName.text(segment.number))).map {
            SegmentReader(file: $0, number: segment.number, store: store)
        }
        while let frame = (try? reader?.next(before: segment.bytes)) ?? nil {
            guard frame.header.lastSequence >= first else { continue }
            for record in reader?.records(of: frame) ?? [] where record.sequence >= first {
                if let earlier = LossReport(record.reading) {
                    report.merge(earlier)
                    merged += earlier.count
                }
                report.add(record.reading)
            }
        }
        let count = last - first + 1
        report.count = before + merged + count
        report.include(sequences: first...last)
        return count
    }
}
