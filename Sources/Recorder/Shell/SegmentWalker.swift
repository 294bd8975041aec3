import Base
import Linux

/// Goes through the blocks of one segment, and past what is damaged in it.
struct SegmentWalker {
    struct Found {
        var header: BlockHeader
        var offset: Int64
        /// Bytes before it that are no block of this segment.
        var skipped: Int64
        /// Records of the class that should be there and are not, from `skippedFrom` on.
        var missing: UInt64
        var missingAfter: UInt64
    }

    let segment: Pool.Segment
    let file: any RingFile
    private let store: StoreID
    /// Where the next block should begin.
    private(set) var offset: Int64
    /// The ordinal that the next block should have, and the sequence before it.
    private(set) var ordinal: UInt64
    private(set) var sequence: UInt64

    init(_ segment: Pool.Segment, _ directory: any RingDirectory, store: StoreID)
        throws(SystemError)
    {
        self.segment = segment
        self.store = store
        file = try directory.open(FileName.segment(segment.slot), isReadOnly: true)
        offset = Int64(Limits.pageBytes)
        ordinal = segment.firstOrdinal
        sequence = max(1, segment.firstSequence) - 1
    }

    /// Goes on at a place that is known.
    mutating func go(to offset: Int64, ordinal: UInt64, sequence: UInt64) {
        self.offset = offset
        self.ordinal = ordinal
        self.sequence = sequence
    }

    /// The next block or tombstone before `end`; past damage it is looked for at most `searchMax` bytes on.
    mutating func next(before end: Int64, searchMax: Int64 = .max) throws(SystemError) -> Found? {
        var place = offset
        let stop = min(end, searchMax == .max ? end : offset + searchMax)
        var chunk: [UInt8] = []
        var chunkStart: Int64 = 0
        while place + Int64(BlockHeader.bytes) <= stop {
            let index = Int(place - chunkStart)
            if chunk.isEmpty || index + BlockHeader.bytes > chunk.count {
                // Mostly it is where it should be; if not, it may be a long way to the next one.
                let count = place == offset ? Int64(Limits.pageBytes) : 256 * 1024
                chunk = try file.read(at: place, count: Int(min(count, end - place)))
                chunkStart = place
                guard chunk.count >= BlockHeader.bytes else { return nil }
                continue
            }
            if let header = BlockHeader(chunk[index...]), accepts(header) {
                let found = Found(
                    header: header, offset: place, skipped: place - offset,
                    missing: header.ordinal - ordinal, missingAfter: sequence)
                offset = place + Int64(header.extent)
                ordinal = header.ordinal + UInt64(header.rows)
                sequence = header.lastSequence
                return found
            }
            place += Int64(Limits.pageBytes)
        }
        return nil
    }

    /// Whether a header belongs here, and after what came before: nothing of an earlier life of the file.
    private func accepts(_ header: BlockHeader) -> Bool {
        header.store == store && header.generation == segment.generation
            && header.recordClass == segment.recordClass && header.form != .segment
            && header.ordinal >= ordinal && header.firstSequence > sequence
            && header.lastSequence >= header.firstSequence
    }
}

/// The content of a block, read and checked.
struct BlockReader {
    let header: BlockHeader
    let bytes: [UInt8]

    /// Nil if the file ends before the block does.
    init?(_ found: SegmentWalker.Found, in file: any RingFile, namesOnly: Bool)
        throws(SystemError)
    {
        header = found.header
        let count = BlockHeader.bytes + header.nameBytes + (namesOnly ? 0 : header.dataBytes)
        bytes = try file.read(at: found.offset, count: count)
        guard bytes.count == count else { return nil }
    }

    /// How many records of each tag there are; nil if the section is damaged.
    var tallies: [BlockCoder.Tally]? {
        section(BlockHeader.bytes, header.nameBytes, header.nameBytesRaw, header.nameChecksum)
            .flatMap { BlockCoder.tallies($0[...]) }
    }

    /// The records; nil if they are damaged.
    var rows: Rows? {
        guard let names = tallies,
            let data = section(
                BlockHeader.bytes + header.nameBytes, header.dataBytes, header.dataBytesRaw,
                header.dataChecksum),
            var rows = BlockCoder.rows(data[...], names: names.map(\.name)),
            rows.count == header.rows
        else { return nil }
        if header.version == 2 { rows.leaveTimes() }
        return rows
    }

    /// Whether both sections are as they were written, without unpacking them.
    var isWhole: Bool {
        let names = bytes[BlockHeader.bytes..<BlockHeader.bytes + header.nameBytes]
        let data = bytes[(BlockHeader.bytes + header.nameBytes)...]
        return checksum(names) == header.nameChecksum && checksum(data) == header.dataChecksum
    }

    private func checksum(_ section: ArraySlice<UInt8>) -> UInt32 {
        BlockHeader.sectionChecksum(section, store: header.store, generation: header.generation)
    }

    private func section(_ start: Int, _ count: Int, _ raw: Int, _ sum: UInt32) -> [UInt8]? {
        guard start + count <= bytes.count else { return nil }
        let section = bytes[start..<start + count]
        guard checksum(section) == sum else { return nil }
        return Zstd.decompressed(section, count: raw)
    }
}

/// A block that is ready to be written.
struct EncodedBlock {
    var header: BlockHeader
    var sections: [UInt8]

    /// These rows, which are of one class, as blocks of at most `bytesMax` bytes.
    static func blocks(
        _ rows: Rows, _ picks: [Int], recordClass: RecordClass, bootID: BootID, bytesMax: Int
    ) -> [EncodedBlock] {
        guard let first = picks.first, let last = picks.last else { return [] }
        let (names, counts, map) = BlockCoder.renumber(rows, picks)
        let nameSection = BlockCoder.names(names[...], counts: counts)
        let dataSection = BlockCoder.data(rows, picks, map: map)
        let packedNames = Zstd.compressed(nameSection, level: Zstd.thorough)
        let packedData = Zstd.compressed(dataSection, level: Zstd.thorough)
        let walls = picks.lazy.map { rows.times[Int(rows.moments[$0])].wall }
        var header = BlockHeader(
            form: .block, recordClass: recordClass, store: StoreID(high: 0, low: 0),
            generation: 0, bootID: bootID, firstSequence: rows.sequences[first],
            lastSequence: rows.sequences[last], ordinal: 0, rows: picks.count,
            firstWall: walls.min() ?? WallTime(milliseconds: 0),
            lastWall: walls.max() ?? WallTime(milliseconds: 0), cursor: 0, lost: 0,
            previous: [UInt8](repeating: 0, count: 16))
        let moments = picks.lazy.map { rows.times[Int(rows.moments[$0])].monotonic }
        header.firstMonotonic = moments.min() ?? .boot
        header.lastMonotonic = moments.max() ?? .boot
        header.nameBytes = packedNames.count
        header.nameBytesRaw = nameSection.count
        header.dataBytes = packedData.count
        header.dataBytesRaw = dataSection.count
        guard header.extent > bytesMax, picks.count > 1 else {
            return [EncodedBlock(header: header, sections: packedNames + packedData)]
        }
        let middle = picks.count / 2
        return [Array(picks[..<middle]), Array(picks[middle...])].flatMap {
            blocks(rows, $0, recordClass: recordClass, bootID: bootID, bytesMax: bytesMax)
        }
    }

    /// The bytes to write, now that it is known where.
    mutating func placed(
        in segment: Pool.Segment, store: StoreID, tail: Pool.Tail, cursor: UInt64, lost: UInt64
    )
        -> [UInt8]
    {
        header.store = store
        header.generation = segment.generation
        header.ordinal = tail.ordinal
        header.previous = tail.hash
        header.cursor = cursor
        header.lost = lost
        header.nameChecksum = BlockHeader.sectionChecksum(
            sections.prefix(header.nameBytes), store: store, generation: segment.generation)
        header.dataChecksum = BlockHeader.sectionChecksum(
            sections.dropFirst(header.nameBytes), store: store, generation: segment.generation)
        var bytes = header.encoded + sections
        bytes += [UInt8](repeating: 0, count: header.extent - bytes.count)
        return bytes
    }
}
