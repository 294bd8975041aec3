import Base
import Linux

extension RingStore {
    /// Gives up a segment, having told each consumer first what in it that one has not acknowledged.
    mutating func evict(_ segment: Pool.Segment, reason: String) throws(SystemError) {
        var isNeeded = false
        for consumer in consumers {
            var report = LossReport(reason: reason)
            let known = tally(segment, for: consumer, into: &report)
            guard report.count > 0 else { continue }
            lose(report, for: consumer, new: report.count - known)
            isNeeded = true
        }
        if isNeeded { try commitLoss() }
        positions.leave(segment)
        pool.remove(segment)
    }

    /// Adds to `report` what a consumer would lose with a segment; returns how much of that it was told as lost before.
    private func tally(
        _ segment: Pool.Segment, for consumer: Consumer, into report: inout LossReport
    ) -> UInt64 {
        var known: UInt64 = 0
        let cursor = sequence(of: consumer) ?? .max
        let next = pool[segment.recordClass].first { $0.generation > segment.generation }
        let tail = pool[tail: segment.recordClass]
        let endOrdinal = next?.firstOrdinal ?? tail.ordinal
        let lastSequence = next.map { $0.firstSequence - 1 } ?? tail.sequence
        guard lastSequence > cursor else { return 0 }
        var counted = segment.firstOrdinal
        if var walker = try? SegmentWalker(segment, directory, store: store) {
            while let found = (try? walker.next(before: segment.bytes)) ?? nil {
                if found.missing > 0, found.header.firstSequence > cursor + 1,
                    !damage.isTold(segment, from: found.missingAfter)
                {
                    report.add(unknown: found.missing)
                    report.include(
                        sequences: found.missingAfter + 1...found.header.firstSequence - 1)
                }
                counted = found.header.ordinal + UInt64(found.header.rows)
                guard found.header.form == .block, found.header.lastSequence > cursor,
                    !damage.isTold(segment, at: found.offset),
                    !wasDelivered(found.header, to: consumer)
                else { continue }
                known += tally(found, in: walker.file, for: consumer, after: cursor, &report)
            }
        }
        if counted < endOrdinal, !damage.isTold(segment, from: lastSequence) {
            // What cannot be read any more is lost as well.
            report.add(unknown: endOrdinal - counted)
            report.include(sequences: max(cursor + 1, segment.firstSequence)...lastSequence)
        }
        return known
    }

    private func tally(
        _ found: SegmentWalker.Found, in file: any RingFile, for consumer: Consumer,
        after cursor: UInt64, _ report: inout LossReport
    ) -> UInt64 {
        var known: UInt64 = 0
        let header = found.header
        let isWholeBlock = header.firstSequence > cursor
        guard let block = try? BlockReader(found, in: file, namesOnly: false) else {
            report.add(unknown: UInt64(header.rows))
            return known
        }
        report.include(sequences: max(cursor + 1, header.firstSequence)...header.lastSequence)
        let tallies = block.tallies
        let hasLosses =
            tallies?.contains {
                $0.name.source == LossReport.source && $0.name.tag == consumer.lossTag
            } ?? false
        if let tallies, isWholeBlock, !hasLosses {
            for tally in tallies { report.add(tally.name, count: tally.count) }
            include(header, in: &report)
        } else if let rows = block.rows {
            for row in 0..<rows.count where rows.sequences[row] > cursor {
                let reading = rows.record(at: row, bootID: header.bootID, notes.clocks).reading
                // A loss that would be lost is told again, within this one.
                if let earlier = LossReport(reading, tag: consumer.lossTag) {
                    report.merge(earlier)
                    known += earlier.count
                }
                report.add(reading)
            }
        } else {
            report.add(unknown: UInt64(header.rows))
        }
        return known
    }

    /// From when to when, by a clock that was kept if there was one.
    func include(_ header: BlockHeader, in report: inout LossReport) {
        for (monotonic, wall) in [
            (header.firstMonotonic, header.firstWall), (header.lastMonotonic, header.lastWall),
        ] {
            let time = Timestamp(monotonic: monotonic, wall: wall)
            let corrected =
                header.version > 2 ? notes.clocks.corrected(time, in: header.bootID) : nil
            report.include(wall: corrected ?? wall)
        }
    }

    /// Gives up what the quota has no room for any more, and makes the files that it has room for.
    mutating func shrink() throws(SystemError) {
        let budget = plan.segmentsBudget - unusableBytes
        while pool.capacity > budget {
            if let slot = pool.free.max(by: { pool.sizes[$0] ?? 0 < pool.sizes[$1] ?? 0 }) {
                try directory.remove(FileName.segment(slot))
                pool.dropFile(slot: slot)
            } else if let victim = pool.victim(for: nil) {
                try evict(victim, reason: "ring made smaller")
            } else {
                break
            }
        }
        try makeFiles()
        while pool.sizes.count < StorePlan.segmentsMin, let victim = pool.victim(for: nil) {
            // A few large files are left of a larger ring: smaller ones must take their place.
            try evict(victim, reason: "ring made smaller")
            try directory.remove(FileName.segment(victim.slot))
            pool.dropFile(slot: victim.slot)
            try makeFiles()
        }
        try directory.sync()
    }

    private mutating func makeFiles() throws(SystemError) {
        var slot = 0
        while pool.capacity + unusableBytes + plan.segmentBytes <= plan.segmentsBudget {
            while pool.sizes[slot] != nil { slot += 1 }
            let name = FileName.segment(slot)
            do throws(SystemError) {
                let file = try directory.create(name)
                try file.allocate(plan.segmentBytes)
            } catch {
                if error.code == 17, slot < FileName.slotsMax {
                    // A file that cannot be read: it is left alone.
                    slot += 1
                    continue
                }
                try? directory.remove(name)
                // Another program was quicker: fewer segments are a smaller ring.
                guard error.isDiskFull, pool.sizes.count >= StorePlan.segmentsMin else {
                    throw error
                }
                return
            }
            pool.addFile(slot: slot, bytes: plan.segmentBytes)
        }
    }
}
