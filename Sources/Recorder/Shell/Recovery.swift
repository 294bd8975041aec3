import Base
import Linux

/// What the files of a directory say when the daemon starts.
///
/// Reads one page of every segment, the blocks that were sealed last, and the journals: the same whatever the
/// size of the store. Damage in older blocks is found when they are read.
struct Recovery {
    struct Part {
        var bootID: BootID
        var rows: Rows
    }

    let plan: StorePlan
    let store: StoreID
    private(set) var pool: Pool
    let journal: Journal
    private(set) var cursor: UInt64 = 0
    private(set) var lost: UInt64 = 0
    private(set) var nextSequence: UInt64 = 1
    /// What was accepted and not sealed, by boot.
    private(set) var parts: [Part] = []
    /// Records that were accepted and are nowhere.
    struct Gone {
        var count: UInt64
        var after: UInt64
        var through: UInt64
        var reason: String
    }

    private(set) var gone: [Gone] = []
    private(set) var damagedFrames = 0
    /// Everything up to here was sealed, or told as lost, before the journal in use was begun.
    private(set) var settled: UInt64 = 0
    private(set) var settledTails: [Pool.Tail] = []
    private(set) var unusableBytes: Int64 = 0
    private(set) var notes = StoreNotes()

    init(_ directory: some RingDirectory, quota: ByteSize) throws(SystemError) {
        let files = try directory.list()
        if let foreign = files.first(where: { FileName.isForeignStore($0.name) }) {
            throw SystemError(
                "use \(directory.path): \(foreign.name) is no file of this store; empty the "
                    + "directory or configure another one", code: 17)
        }
        plan = try Self.plan(files, directory, quota)
        let content = try JournalContent(directory)
        let found = try FoundSegments(files, in: directory)
        let stores = Set(content.frames.map(\.header.store) + found.headers.map(\.store))
        guard stores.count <= 1 else {
            throw SystemError(
                "use \(directory.path): files of two stores lie in it; move one of them elsewhere",
                code: 17)
        }
        store =
            stores.first
            ?? StoreID(high: .random(in: .min ... .max), low: .random(in: .min ... .max))

        let newest = content.frames.last?.header
        cursor = (content.frames.map(\.header.cursor) + found.headers.map(\.cursor)).max() ?? 0
        lost = (content.frames.map(\.header.lost) + found.headers.map(\.lost)).max() ?? 0
        notes = try content.notes
        let hints = newest?.tails
        unusableBytes = found.unusableBytes
        let generation = max(
            found.headers.map(\.generation).max() ?? 0, hints?.map(\.generation).max() ?? 0)
        pool = Pool(
            sizes: found.sizes, segments: found.segments, tails: hints,
            nextGeneration: generation + 1)
        journal = try Self.journal(content, files, directory, store, plan)
        for recordClass in RecordClass.allCases {
            try findTail(recordClass, hint: hints?[Int(recordClass.rawValue)], directory)
        }
        settledTails = hints ?? pool.tails
        settled = newest?.settled ?? pool.tails.map(\.sequence).max() ?? 0
        try replay(content)
        let names = Set(files.map(\.name))
        let isStore = !content.frames.isEmpty || !found.headers.isEmpty
        if isStore, content.frames.isEmpty || !names.isSuperset(of: FileName.journals) {
            // A journal is gone, and with it the ids that it gave away: none of them may be given again.
            nextSequence += UInt64(Limits.blockRowsMax)
            damagedFrames += 1
        }
    }

    private static func plan(
        _ files: [(name: String, bytes: Int64)], _ directory: some RingDirectory, _ quota: ByteSize
    ) throws(SystemError) -> StorePlan {
        var own: Int64 = 0
        var foreign: Int64 = 0
        for (name, bytes) in files {
            if FileName.slot(name) != nil || FileName.journals.contains(name) {
                own += StorePlan.footprint(bytes)
            } else if name != DirectoryFiles.lockName {
                foreign += StorePlan.footprint(bytes)
            }
        }
        // A smaller file system than the config asks for: what it has is the ring.
        let there = try directory.room().addingReportingOverflow(own + foreign)
        let plan = StorePlan(
            quota: ByteSize(bytes: min(quota.bytes, there.overflow ? .max : there.partialValue)),
            foreign: foreign)
        guard plan.isEnough else {
            throw SystemError(
                "keep records in \(directory.path), other files there take the room", code: 28)
        }
        return plan
    }

    private static func journal(
        _ content: JournalContent, _ files: [(name: String, bytes: Int64)],
        _ directory: some RingDirectory, _ store: StoreID, _ plan: StorePlan
    ) throws(SystemError) -> Journal {
        var sizes: [Int64] = []
        for (index, name) in FileName.journals.enumerated() {
            let size = files.first { $0.name == name }?.bytes
            if let size, size >= Int64(Limits.pageBytes) * 16 || content.holds(index) {
                sizes.append(size)
                continue
            }
            if size != nil { try directory.remove(name) }
            try Journal.make(name, in: directory, bytes: plan.journalBytes)
            sizes.append(plan.journalBytes)
        }
        try directory.sync()
        let last = content.frames.last
        let end = content.frames.filter { $0.header.generation == last?.header.generation }
            .map { $0.offset + Int64($0.header.frameBytes) }.max()
        return try Journal(
            directory, sizes: sizes, store: store, active: last?.file ?? 0,
            generation: last?.header.generation ?? 0, offset: end ?? 0)
    }

    /// Finds what was sealed after the journal in use was begun: at most the blocks of one sealing.
    ///
    /// Of those counts what follows without a gap, whole: a power cut may have kept a later block and dropped
    /// an earlier one, and the journal has all of them.
    private mutating func findTail(
        _ recordClass: RecordClass, hint: Pool.Tail?, _ directory: some RingDirectory
    ) throws(SystemError) {
        guard let hint else { return try findEnd(recordClass, directory) }
        var tail = hint
        let newer = pool[recordClass].filter { $0.generation >= hint.generation }
        if hint.generation > 0, newer.first?.generation != hint.generation {
            // Its segment is gone: the next block begins another one.
            if pool[recordClass].isEmpty { return tellGone(recordClass, hint) }
            pool.closeNewest(recordClass)
        }
        var isBroken = false
        for segment in newer {
            if segment.generation > hint.generation {
                guard !isBroken, segment.firstOrdinal == tail.ordinal else {
                    isBroken = true
                    pool.remove(segment)
                    continue
                }
                tail.offset = Int64(Limits.pageBytes)
            }
            tail.generation = segment.generation
            var walker = try SegmentWalker(segment, directory, store: store)
            walker.go(to: tail.offset, ordinal: tail.ordinal, sequence: tail.sequence)
            while let found = try walker.next(
                before: pool.size(segment), searchMax: Int64(Limits.pageBytes))
            {
                let block = try BlockReader(found, in: walker.file, namesOnly: false)
                guard found.missing == 0, found.skipped == 0, block?.isWhole ?? false else { break }
                take(found, walker, &tail)
            }
        }
        if pool[recordClass].last?.generation == tail.generation {
            pool.setTail(recordClass, tail)
        } else {
            pool.tails[Int(recordClass.rawValue)] = tail
        }
    }

    private mutating func take(
        _ found: SegmentWalker.Found, _ walker: SegmentWalker, _ tail: inout Pool.Tail
    ) {
        tail.offset = walker.offset
        tail.ordinal = walker.ordinal
        tail.sequence = walker.sequence
        tail.hash = found.header.hash
        cursor = max(cursor, found.header.cursor)
        lost = max(lost, found.header.lost)
    }

    /// Without a journal all counts that there is.
    private mutating func findEnd(_ recordClass: RecordClass, _ directory: some RingDirectory)
        throws(SystemError)
    {
        guard let last = pool[recordClass].last else { return }
        var tail = pool[tail: recordClass]
        tail.generation = last.generation
        tail.offset = Int64(Limits.pageBytes)
        tail.ordinal = last.firstOrdinal
        tail.sequence = last.firstSequence - 1
        var walker = try SegmentWalker(last, directory, store: store)
        while let found = try walker.next(before: pool.size(last)) { take(found, walker, &tail) }
        pool.setTail(recordClass, tail)
    }

    /// The only segment of a class is gone.
    private mutating func tellGone(_ recordClass: RecordClass, _ hint: Pool.Tail) {
        var tail = hint
        tail.generation = 0
        pool.setTail(recordClass, tail)
        gone.append(
            Gone(
                count: hint.ordinal, after: 0, through: hint.sequence, reason: "damaged on flash"))
    }

    /// Takes from the journals what is in no block.
    private mutating func replay(_ content: JournalContent) throws(SystemError) {
        var last = settled
        var there: UInt64 = 0
        var added = settled
        var names: [TagName?] = []
        var generation: UInt64 = 0
        var lastOf: [UInt64: UInt64] = [:]
        for frame in content.frames {
            let header = frame.header
            lastOf[header.generation] = max(
                lastOf[header.generation] ?? 0, header.nextSequence - 1)
        }
        for frame in content.frames {
            let header = frame.header
            if header.generation != generation {
                names = []
                generation = header.generation
            }
            last = max(last, header.nextSequence - 1)
            // A life of the journal that is settled has nothing that is needed, not even names.
            guard lastOf[generation] ?? 0 > settled else { continue }
            guard let said = try content.content(of: frame) else {
                damagedFrames += header.nextSequence - 1 > settled ? 1 : 0
                continue
            }
            while names.count < header.firstName { names.append(nil) }
            names.replaceSubrange(header.firstName..., with: said.names.map(\.name))
            guard header.nextSequence - 1 > added, !said.data.isEmpty,
                var rows = BlockCoder.rows(said.data[...], names: names)
            else { continue }
            if header.version == 2 { rows.leaveTimes() }
            for row in 0..<rows.count where rows.sequences[row] > added {
                added = rows.sequences[row]
                there += 1
                guard added > pool[tail: rows.classes[row]].sequence else { continue }
                if parts.last?.bootID != header.bootID {
                    parts.append(Part(bootID: header.bootID, rows: Rows()))
                }
                parts[parts.count - 1].rows.append(
                    rows.reading(at: row), sequence: added, recordClass: rows.classes[row])
            }
        }
        nextSequence = max(last, cursor, pool.tails.map(\.sequence).max() ?? 0) + 1
        let count = last - settled - there
        guard count > 0 else { return }
        gone.append(
            Gone(
                count: count, after: settled, through: last,
                reason: "cut off by a power failure, or damaged on flash"))
    }
}
