import Base
import Linux

/// What was found to be damaged, told once, and marked in the file so that it is not told again after a restart.
struct DamageLedger {
    private struct Place: Hashable {
        var generation: UInt64
        /// The offset of a damaged block, or the sequence before missing ones.
        var number: UInt64
        var isMissing: Bool
    }

    struct Tombstone {
        var segment: Pool.Segment
        var offset: Int64
        var header: BlockHeader
    }

    private var told: Set<Place> = []
    var due: [Tombstone] = []

    func isTold(_ segment: Pool.Segment, at offset: Int64) -> Bool {
        told.contains(
            Place(generation: segment.generation, number: UInt64(offset), isMissing: false))
    }

    func isTold(_ segment: Pool.Segment, from sequence: UInt64) -> Bool {
        told.contains(Place(generation: segment.generation, number: sequence, isMissing: true))
    }

    mutating func tell(_ segment: Pool.Segment, at offset: Int64) -> Bool {
        told.insert(
            Place(generation: segment.generation, number: UInt64(offset), isMissing: false)
        ).inserted
    }

    mutating func tell(_ segment: Pool.Segment, from sequence: UInt64) -> Bool {
        told.insert(Place(generation: segment.generation, number: sequence, isMissing: true))
            .inserted
    }
}

extension RingStore {
    /// A block whose header is whole and whose content is not.
    mutating func tellDamaged(_ found: SegmentWalker.Found, _ segment: Pool.Segment) {
        let header = found.header
        let late = consumers.filter { (sequence(of: $0) ?? .max) < header.lastSequence }
        guard !late.isEmpty, damage.tell(segment, at: found.offset) else { return }
        damagedBlocks += 1
        let tallies = (try? directory.open(FileName.segment(segment.slot), isReadOnly: true))
            .flatMap { try? BlockReader(found, in: $0, namesOnly: true) }?.tallies
        for consumer in late {
            let first = max(header.firstSequence, (sequence(of: consumer) ?? 0) + 1)
            var report = LossReport(reason: "damaged on flash")
            if first == header.firstSequence, let tallies {
                // Whose they were can still be told.
                for tally in tallies { report.add(tally.name, count: tally.count) }
            } else {
                report.add(unknown: min(UInt64(header.rows), header.lastSequence - first + 1))
            }
            report.include(sequences: first...header.lastSequence)
            include(header, in: &report)
            lose(report, for: consumer)
        }
        var tombstone = header
        tombstone.form = .tombstone
        tombstone.tombstoneBytes = header.extent
        damage.due.append(
            DamageLedger.Tombstone(segment: segment, offset: found.offset, header: tombstone))
    }

    /// Blocks that should lie before this one.
    mutating func tellMissing(_ found: SegmentWalker.Found, _ segment: Pool.Segment) {
        tellMissing(
            found.missing, after: found.missingAfter, before: found.header.firstSequence,
            ordinal: found.header.ordinal - found.missing, at: found.offset - found.skipped,
            bytes: found.skipped, segment)
    }

    /// Blocks that should lie between the end of a segment's readable ones and the next segment.
    mutating func tellMissingEnd(_ head: ReadPosition.Head, index: Int) {
        let list = pool[head.recordClass]
        let isLast = index + 1 == list.count
        let tail = pool[tail: head.recordClass]
        let ordinal = isLast ? tail.ordinal : list[index + 1].firstOrdinal
        let before = isLast ? tail.sequence + 1 : list[index + 1].firstSequence
        guard head.ordinal < ordinal else { return }
        let page = Int64(Limits.pageBytes)
        let end = isLast ? list[index].bytes : min(head.offset + page, pool.size(list[index]))
        tellMissing(
            ordinal - head.ordinal, after: head.sequence, before: before, ordinal: head.ordinal,
            at: head.offset, bytes: end - head.offset, list[index])
    }

    private mutating func tellMissing(
        _ count: UInt64, after sequence: UInt64, before next: UInt64, ordinal: UInt64,
        at offset: Int64, bytes: Int64, _ segment: Pool.Segment
    ) {
        let late = consumers.filter { (self.sequence(of: $0) ?? .max) < next - 1 }
        guard !late.isEmpty, sequence + 1 < next, damage.tell(segment, from: sequence) else {
            return
        }
        damagedBlocks += 1
        for consumer in late {
            var report = LossReport(reason: "damaged on flash")
            let first = max(sequence, self.sequence(of: consumer) ?? 0) + 1
            report.add(unknown: min(count, next - first))
            report.include(sequences: first...next - 1)
            lose(report, for: consumer)
        }
        guard bytes >= Int64(Limits.pageBytes) else { return }
        let zero = WallTime(milliseconds: 0)
        var header = BlockHeader(
            form: .tombstone, recordClass: segment.recordClass, store: store,
            generation: segment.generation, bootID: bootID, firstSequence: sequence + 1,
            lastSequence: next - 1, ordinal: ordinal, rows: Int(count), firstWall: zero,
            lastWall: zero, cursor: cursor, lost: lost,
            previous: [UInt8](repeating: 0, count: 16))
        header.tombstoneBytes = Int(bytes)
        damage.due.append(
            DamageLedger.Tombstone(segment: segment, offset: offset, header: header))
    }

    /// The losses are on flash: the damage is marked as told.
    mutating func bury() {
        guard pendingLosses.isEmpty, !damage.due.isEmpty else { return }
        for tombstone in damage.due {
            let segment = tombstone.segment
            guard
                pool[segment.recordClass].contains(where: { $0.generation == segment.generation }),
                let file = try? directory.open(FileName.segment(segment.slot))
            else { continue }
            // A file that refuses this is told of again after a restart, and no harm is done.
            try? file.write(tombstone.header.encoded, at: tombstone.offset)
            try? file.sync()
        }
        damage.due.removeAll()
        positions.forget()
    }
}
