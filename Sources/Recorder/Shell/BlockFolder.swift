package import Base
package import Linux

/// Blocks as files of their own, in one folder: what was delivered as it is (`[bulk]`), read without the store that
/// they come from.
///
/// Their times are what the clock showed: the store alone knows which boot's clock was kept.
package struct BlockFolder: RecordReading {
    private struct Entry {
        var file: String
        var header: BlockHeader
    }

    /// Where one class is read.
    private struct Head {
        var entries: [Entry]
        var next = 0
        var rows = Rows()
        var row = 0
    }

    private let directory: any RingDirectory
    private var heads: [Head] = []
    /// The sequence to hand out next.
    private var next: UInt64 = 0
    /// Files that are called blocks and are none, or are damaged.
    package private(set) var damaged: Set<String> = []

    package init(path: String) throws(SystemError) {
        try self.init(try DirectoryFiles(readOnly: path))
    }

    package init(_ directory: some RingDirectory) throws(SystemError) {
        self.directory = directory
        var classes: [RecordClass: [UInt64: Entry]] = [:]
        var stores: Set<StoreID> = []
        for (name, _) in try directory.list() where name.hasSuffix(BlockHeader.fileSuffix) {
            let file = try directory.open(name, isReadOnly: true)
            guard let header = BlockHeader(try file.read(at: 0, count: BlockHeader.bytes)[...]),
                header.form == .block
            else {
                damaged.insert(name)
                continue
            }
            stores.insert(header.store)
            // A block that is there twice is read once.
            classes[header.recordClass, default: [:]][header.ordinal] =
                Entry(file: name, header: header)
        }
        guard stores.count <= 1 else {
            throw SystemError(
                "read \(directory.path): blocks of two stores lie in it; their names begin "
                    + "with the store, give each a folder", code: 17)
        }
        guard !stores.isEmpty else {
            throw SystemError(
                "find a block (*\(BlockHeader.fileSuffix)) in \(directory.path)", code: 2)
        }
        for entries in classes.values {
            heads.append(
                Head(entries: entries.values.sorted { $0.header.ordinal < $1.header.ordinal }))
        }
    }

    package var lastSequence: UInt64 {
        heads.compactMap { $0.entries.last?.header.lastSequence }.max() ?? 0
    }

    package mutating func batch(after sequence: UInt64, limit: Int, filter: RecordFilter?)
        throws(SystemError) -> [Record]
    {
        if sequence + 1 != next {
            for index in heads.indices { heads[index] = Head(entries: heads[index].entries) }
            next = sequence + 1
        }
        let limit = min(limit, Limits.batchRecordsMax)
        var records: [Record] = []
        var bytes = 0
        while records.count < limit, bytes < Limits.batchBytesMax {
            var chosen: (index: Int, sequence: UInt64)?
            for index in heads.indices {
                guard let found = peek(index, filter), found < chosen?.sequence ?? .max else {
                    continue
                }
                chosen = (index, found)
            }
            guard let chosen else { break }
            let head = heads[chosen.index]
            let record = head.rows.record(at: head.row, bootID: head.rows.bootID, ClockTable())
            heads[chosen.index].row += 1
            next = chosen.sequence + 1
            if case .string(let text) = record.reading.value { bytes += text.utf8.count }
            records.append(record)
        }
        return records
    }

    /// The sequence that a class has next; nil: no more.
    private mutating func peek(_ index: Int, _ filter: RecordFilter?) -> UInt64? {
        while true {
            let row = heads[index].row
            if row < heads[index].rows.count {
                let sequence = heads[index].rows.sequences[row]
                if sequence >= next { return sequence }
                heads[index].row += 1
                continue
            }
            heads[index].rows = Rows()
            heads[index].row = 0
            guard heads[index].next < heads[index].entries.count else { return nil }
            let entry = heads[index].entries[heads[index].next]
            heads[index].next += 1
            guard entry.header.lastSequence >= next, mayHold(filter, entry) else { continue }
            guard var rows = reader(entry, namesOnly: false)?.rows else {
                damaged.insert(entry.file)
                continue
            }
            rows.bootID = entry.header.bootID
            heads[index].rows = rows
        }
    }

    private func mayHold(_ filter: RecordFilter?, _ entry: Entry) -> Bool {
        guard let filter else { return true }
        let walls = ClockTable().walls(of: entry.header)
        guard walls.upperBound >= filter.from, walls.lowerBound <= filter.through else {
            return false
        }
        guard filter.tag != nil || filter.source != nil,
            let tallies = reader(entry, namesOnly: true)?.tallies
        else { return true }
        return tallies.contains { filter.accepts($0.name) }
    }

    private func reader(_ entry: Entry, namesOnly: Bool) -> BlockReader? {
        let found = SegmentWalker.Found(
            header: entry.header, offset: 0, skipped: 0, missing: 0, missingAfter: 0)
        return (try? directory.open(entry.file, isReadOnly: true))
            .flatMap { try? BlockReader(found, in: $0, namesOnly: namesOnly) }
    }

    package func verify(_ progress: (Double) -> Bool) throws(SystemError) -> LogReader.Verdict {
        var verdict = LogReader.Verdict()
        verdict.damaged = damaged.count
        let total = max(1, heads.reduce(0) { $0 + $1.entries.count })
        for head in heads {
            var before: BlockHeader?
            for entry in head.entries {
                let header = entry.header
                if reader(entry, namesOnly: false)?.isWhole ?? false {
                    verdict.blocks += 1
                    verdict.records += UInt64(header.rows)
                } else if !damaged.contains(entry.file) {
                    verdict.damaged += 1
                }
                verdict.bytes += Int64(BlockHeader.bytes + header.nameBytes + header.dataBytes)
                if let before, before.hash != header.previous { verdict.unchained += 1 }
                before = header
                let done = verdict.blocks + verdict.damaged
                guard progress(Double(done) / Double(total)) else { return verdict }
            }
        }
        return verdict
    }
}
