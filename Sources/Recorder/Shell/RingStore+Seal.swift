import Base
package import Linux

extension RingStore {
    /// Packs all that waits into blocks, and begins the other journal.
    package mutating func seal() throws(SystemError) {
        let count = open.count
        let (row, name) = (writtenRow, writtenName)
        journal.closeFrame()
        (frameRow, frameName) = (count, open.names.count)
        (writtenRow, writtenName) = (frameRow, frameName)
        frameTextBytes = 0
        let before = pool
        do throws(SystemError) {
            try place(open, count: count, bootID: bootID)
        } catch {
            pool.restore(before)
            if error.code == 5 {
                // A file that fails: the next attempt takes others.
                for recordClass in RecordClass.allCases { pool.closeNewest(recordClass) }
            }
            (frameRow, frameName) = (row, name)
            (writtenRow, writtenName) = (row, name)
            throw error
        }
        turnJournal(open.suffix(from: count))
    }

    /// Writes rows as blocks, each class to its own segment, and syncs them.
    mutating func place(_ rows: Rows, count: Int, bootID: BootID) throws(SystemError) {
        let bytesMax = (pool.sizes.values.min() ?? plan.segmentBytes) - Int64(Limits.pageBytes)
        // Losses first: what tells of something must not be missing where that is.
        for recordClass in [RecordClass.event, .alarm, .log, .sample] {
            let picks = (0..<count).filter { rows.classes[$0] == recordClass }
            guard !picks.isEmpty else { continue }
            let blocks = EncodedBlock.blocks(
                rows, picks, recordClass: recordClass, bootID: bootID, bytesMax: Int(bytesMax))
            var written: [Int: any RingFile] = [:]
            for block in blocks { try place(block, &written) }
            for (_, file) in written { try file.sync() }
        }
    }

    private mutating func place(_ block: EncodedBlock, _ written: inout [Int: any RingFile])
        throws(SystemError)
    {
        let recordClass = block.header.recordClass
        var block = block
        if !pool.hasRoom(recordClass, for: block.header.extent) {
            try beginSegment(recordClass, firstSequence: block.header.firstSequence, &written)
        }
        guard let segment = pool[recordClass].last else { return }
        let bytes = block.placed(
            in: segment, store: store, tail: pool[tail: recordClass], cursor: cursor, lost: lost)
        let file: any RingFile
        if let known = written[segment.slot] {
            file = known
        } else {
            file = try directory.open(FileName.segment(segment.slot))
        }
        written[segment.slot] = file
        try file.write(bytes, at: segment.bytes)
        pool.blockWritten(
            recordClass, bytes: bytes.count, records: block.header.rows,
            lastSequence: block.header.lastSequence, hash: block.header.hash)
    }

    private mutating func beginSegment(
        _ recordClass: RecordClass, firstSequence: UInt64, _ written: inout [Int: any RingFile]
    ) throws(SystemError) {
        if pool.free.isEmpty {
            guard let victim = pool.victim(for: recordClass) else {
                throw SystemError("find a segment for \(recordClass.name) records", code: 28)
            }
            try evict(victim, reason: "ring full")
        }
        let wall = now().wall
        let tail = pool[tail: recordClass]
        guard
            let segment = pool.begin(
                recordClass, firstSequence: firstSequence, firstOrdinal: tail.ordinal, at: wall)
        else { return }
        let header = BlockHeader(
            form: .segment, recordClass: recordClass, store: store,
            generation: segment.generation, bootID: bootID, firstSequence: firstSequence,
            lastSequence: firstSequence, ordinal: tail.ordinal, rows: 0, firstWall: wall,
            lastWall: wall, cursor: cursor, lost: lost, previous: tail.hash)
        do throws(SystemError) {
            let file = try directory.open(FileName.segment(segment.slot))
            try file.write(header.encoded, at: 0)
            written[segment.slot] = file
        } catch {
            // This file fails: it is left alone from now on.
            pool.remove(segment)
            pool.setAside(slot: segment.slot)
            throw error
        }
    }
}
