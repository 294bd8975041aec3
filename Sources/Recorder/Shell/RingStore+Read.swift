package import Base
package import Linux

/// Where somebody reads: kept between batches, so that reading on is reading on.
struct ReadPosition {
    /// Where it reads in one class.
    struct Head {
        var recordClass: RecordClass
        var segment: Pool.Segment
        var offset: Int64
        var ordinal: UInt64
        var sequence: UInt64
        /// The block at hand, and the row in it that is next.
        var rows = Rows()
        var row = 0
        /// Where that block begins.
        var block = Block()

        struct Block {
            var offset: Int64 = 0
            var ordinal: UInt64 = 0
            var sequence: UInt64 = 0
        }

        /// It has read as far as that one has gone.
        mutating func pass(_ walker: SegmentWalker) {
            (offset, ordinal, sequence) = (walker.offset, walker.ordinal, walker.sequence)
        }

        /// Lets go of the block at hand: it is unpacked again when it is needed.
        mutating func rewind() {
            guard !rows.isEmpty else { return }
            (offset, ordinal, sequence) = (block.offset, block.ordinal, block.sequence)
            rows = Rows()
            row = 0
        }
    }

    var heads: [Head]
    /// The sequence to hand out next.
    var next: UInt64

    var rowsHeld: Int { heads.reduce(0) { $0 + $1.rows.count } }

    mutating func rewind() {
        for index in heads.indices { heads[index].rewind() }
    }

    func reads(_ segment: Pool.Segment) -> Bool {
        heads.contains { $0.segment.generation == segment.generation }
    }
}

/// Where the ring was read last: the cloud's two lanes, and a reader or two.
struct ReadPositions {
    private var kept: [(position: ReadPosition, turn: UInt64)] = []
    private var turn: UInt64 = 0

    private static let countMax = 3
    /// Batches of others after which one is forgotten: whoever read there has ended.
    private static let turnsMax: UInt64 = 256

    /// The one that goes on with `next`.
    mutating func take(_ next: UInt64) -> ReadPosition? {
        guard let index = kept.firstIndex(where: { $0.position.next == next }) else { return nil }
        return kept.remove(at: index).position
    }

    mutating func keep(_ position: ReadPosition) {
        turn += 1
        kept.removeAll { turn - $0.turn > Self.turnsMax }
        kept.append((position, turn))
        if kept.count > Self.countMax { kept.removeFirst() }
    }

    /// A block is about to be unpacked: only so many rows of others may stay unpacked beside it.
    mutating func makeRoom(for rows: Int) {
        var total = rows + kept.reduce(0) { $0 + $1.position.rowsHeld }
        for index in kept.indices where total > Limits.unpackedRowsMax {
            total -= kept[index].position.rowsHeld
            kept[index].position.rewind()
        }
    }

    /// A segment is given up.
    mutating func leave(_ segment: Pool.Segment) {
        kept.removeAll { $0.position.reads(segment) }
    }

    mutating func forget() { kept = [] }
}

extension RingStore {
    /// The records after a sequence, in order: at most `limit`, and about `Limits.batchBytesMax` of texts.
    ///
    /// With a filter, blocks that cannot hold what it asks for are passed over unread.
    package mutating func batch(
        after sequence: UInt64, limit: Int, filter: RecordFilter? = nil
    ) throws(SystemError) -> [Record] {
        let through = deliverableThrough
        guard sequence < through, limit > 0 else { return [] }
        var place =
            positions.take(sequence + 1)
            ?? ReadPosition(heads: heads(at: sequence + 1), next: sequence + 1)
        // A class that had no segment when the place was found may have one since.
        for head in heads(at: place.next)
        where !place.heads.contains(where: { $0.recordClass == head.recordClass }) {
            place.heads.append(head)
        }
        let limit = min(limit, Limits.batchRecordsMax)
        var records: [Record] = []
        records.reserveCapacity(min(limit, 1024))
        var bytes = 0
        while records.count < limit, bytes < Limits.batchBytesMax {
            guard let record = try next(&place, filter), record.sequence <= through else { break }
            place.next = record.sequence + 1
            if case .string(let text) = record.reading.value { bytes += text.utf8.count }
            bytes += 64
            records.append(record)
        }
        positions.keep(place)
        return records
    }

    func heads(at sequence: UInt64) -> [ReadPosition.Head] {
        RecordClass.allCases.compactMap { one in
            pool.index(one, holding: sequence).map { index in
                let segment = pool[one][index]
                return ReadPosition.Head(
                    recordClass: one, segment: segment, offset: Int64(Limits.pageBytes),
                    ordinal: segment.firstOrdinal, sequence: segment.firstSequence - 1)
            }
        }
    }

    /// The next record of all classes; what is sealed comes before what is not.
    private mutating func next(_ place: inout ReadPosition, _ filter: RecordFilter?)
        throws(SystemError) -> Record?
    {
        var chosen = -1
        var least = UInt64.max
        for index in place.heads.indices {
            var row = place.heads[index].row
            let count = place.heads[index].rows.count
            while row < count, place.heads[index].rows.sequences[row] < place.next { row += 1 }
            place.heads[index].row = row
            if row >= count {
                // Nothing of the block before is needed while the next one is unpacked.
                place.heads[index].rows = Rows()
                place.heads[index].row = 0
                guard try load(&place.heads[index], from: place.next, filter) else { continue }
                row = place.heads[index].row
            }
            let sequence = place.heads[index].rows.sequences[row]
            if sequence < least {
                least = sequence
                chosen = index
            }
        }
        if chosen >= 0 {
            let row = place.heads[chosen].row
            place.heads[chosen].row += 1
            return place.heads[chosen].rows.record(
                at: row, bootID: place.heads[chosen].rows.bootID, notes.clocks)
        }
        let row = open.row(atOrAfter: place.next)
        return row < open.count ? open.record(at: row, bootID: bootID, notes.clocks) : nil
    }

    /// Takes the next block that holds something from `sequence` on; false if all sealed ones are read.
    private mutating func load(
        _ head: inout ReadPosition.Head, from sequence: UInt64, _ filter: RecordFilter?
    ) throws(SystemError) -> Bool {
        while true {
            let list = pool[head.recordClass]
            guard let index = list.firstIndex(where: { $0.generation == head.segment.generation })
            else { return false }
            // A reader of the latest records asks once for each of them: that costs no file.
            if head.offset < list[index].bytes,
                try load(&head, in: list[index], from: sequence, filter)
            {
                return true
            }
            tellMissingEnd(head, index: index)
            guard index + 1 < list.count else { return false }
            let following = list[index + 1]
            head.segment = following
            head.offset = Int64(Limits.pageBytes)
            head.ordinal = following.firstOrdinal
            head.sequence = following.firstSequence - 1
        }
    }

    /// The same in one segment; false if it holds no more.
    private mutating func load(
        _ head: inout ReadPosition.Head, in segment: Pool.Segment, from sequence: UInt64,
        _ filter: RecordFilter?
    ) throws(SystemError) -> Bool {
        var walker = try SegmentWalker(segment, directory, store: store)
        walker.go(to: head.offset, ordinal: head.ordinal, sequence: head.sequence)
        while let found = try walker.next(before: segment.bytes) {
            if found.missing > 0 { tellMissing(found, segment) }
            guard found.header.form == .block, found.header.lastSequence >= sequence else {
                continue
            }
            head.pass(walker)
            if let filter, try isIdle(filter, found, walker.file) { continue }
            positions.makeRoom(for: found.header.rows)
            head.block = ReadPosition.Head.Block(
                offset: found.offset, ordinal: found.header.ordinal,
                sequence: found.header.firstSequence - 1)
            let block = try? BlockReader(found, in: walker.file, namesOnly: false)
            guard var rows = block?.rows else {
                tellDamaged(found, segment)
                continue
            }
            rows.bootID = found.header.bootID
            head.rows = rows
            head.row = rows.row(atOrAfter: sequence)
            if head.row < rows.count { return true }
        }
        head.pass(walker)
        return false
    }
}

extension RingStore {
    /// Whether a block certainly holds nothing that a filter asks for.
    private func isIdle(
        _ filter: RecordFilter, _ found: SegmentWalker.Found, _ file: any RingFile
    ) throws(SystemError) -> Bool {
        let walls = notes.clocks.walls(of: found.header)
        guard walls.upperBound >= filter.from, walls.lowerBound <= filter.through else {
            return true
        }
        guard filter.tag != nil || filter.source != nil,
            let tallies = try BlockReader(found, in: file, namesOnly: true)?.tallies
        else { return false }
        return !tallies.contains { filter.accepts($0.name) }
    }
}

extension Rows {
    /// A record as it goes out: with the time that the clock should have shown.
    func record(at row: Int, bootID: BootID, _ clocks: ClockTable) -> Record {
        var record = Record(sequence: sequences[row], bootID: bootID, reading: reading(at: row))
        if !record.reading.isTimedBySource,
            let wall = clocks.corrected(record.reading.time, in: bootID)
        {
            record.reading.time.wall = wall
            record.isTimeCorrected = true
        }
        return record
    }
}

extension ClockTable {
    /// Between which times the records of a block lie, as they go out or as they were recorded.
    func walls(of header: BlockHeader) -> ClosedRange<WallTime> {
        let recorded = [header.firstWall, header.lastWall]
        let first = Timestamp(monotonic: header.firstMonotonic, wall: header.firstWall)
        let last = Timestamp(monotonic: header.lastMonotonic, wall: header.lastWall)
        let known = header.version > 2 ? [first, last] : []
        let all = recorded + known.compactMap { corrected($0, in: header.bootID) }
        let (least, most) = (all.min() ?? header.firstWall, all.max() ?? header.lastWall)
        return least...most
    }
}
