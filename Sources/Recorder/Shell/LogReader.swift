package import Base
package import Linux

/// A store as the command line looks at it: living or dead, and without changing it.
package struct LogReader {
    package struct ClassFigures: Equatable, Sendable {
        package var name: String
        package var segments: Int
        package var bytes: Int64
        package var records: UInt64
        package var firstSequence: UInt64?
        package var oldest: WallTime?
    }

    package struct Verdict: Equatable, Sendable {
        package var blocks = 0
        package var bytes: Int64 = 0
        package var records: UInt64 = 0
        /// Blocks that cannot be read, or are missing.
        package var damaged = 0
        /// Blocks that do not follow the one before them in their class's chain of hashes.
        package var unchained = 0
        package init() {}
    }

    private var store: RingStore
    /// What the journals and segments take on the disk.
    package let fileBytes: Int64

    /// Opens a store to look at it.
    package init(path: String) throws(SystemError) {
        try self.init(try DirectoryFiles(readOnly: path))
    }

    package init(_ disk: some RingDirectory) throws(SystemError) {
        let overlay = try OverlayDirectory(disk)
        fileBytes = overlay.bytes
        guard fileBytes > 0 else {
            throw SystemError("find a store in \(disk.path)", code: 2)
        }
        // Room for what the journal holds, so that nothing is given up in the picture.
        store = try RingStore(
            overlay, quota: ByteSize(bytes: fileBytes + fileBytes / 4 + (16 << 20)),
            bootID: try SystemClock.bootID(), now: { SystemClock().timestamp() })
    }

    /// Opens a dead store to mark and tell what is damaged in it; it must not be in use.
    package init(repairing path: String) throws(SystemError) {
        let disk = try DirectoryFiles(path: path)
        fileBytes = try disk.list().reduce(0) { $0 + $1.bytes }
        store = try RingStore(
            disk, quota: ByteSize(bytes: max(fileBytes + 64 * 1024, StorePlan.quotaMin)),
            bootID: try SystemClock.bootID(), now: { SystemClock().timestamp() })
    }

    package var firstSequence: UInt64 { store.firstSequence }
    package var lastSequence: UInt64 { store.lastSequence }
    package var cursor: UInt64 { store.cursor }
    package var lost: UInt64 { store.lost }
    package var damagedBlocks: Int { store.damagedBlocks }
    package var cursors: [NamedCursor] { store.namedCursors }

    package var classes: [ClassFigures] {
        RecordClass.allCases.map { one in
            let list = store.pool[one]
            let records = list.first.map { store.pool[tail: one].ordinal - $0.firstOrdinal } ?? 0
            return ClassFigures(
                name: one.name, segments: list.count, bytes: list.reduce(0) { $0 + $1.bytes },
                records: records, firstSequence: list.first?.firstSequence,
                oldest: list.first?.begun)
        }
    }

    package mutating func batch(after sequence: UInt64, limit: Int, filter: RecordFilter? = nil)
        throws(SystemError) -> [Record]
    {
        try store.batch(after: sequence, limit: limit, filter: filter)
    }

    /// Makes what was found on the way permanent.
    package mutating func sync() throws(SystemError) { try store.sync() }

    /// Reads every block and checks it against its sums; `progress` hears the share that is done, and ends it with
    /// false.
    package func verify(_ progress: (Double) -> Bool) throws(SystemError) -> Verdict {
        var verdict = Verdict()
        let total = max(1, store.pool.bytes)
        for recordClass in RecordClass.allCases {
            var chain: [UInt8]?
            for segment in store.pool[recordClass] {
                var walker = try SegmentWalker(segment, store.directory, store: store.store)
                while let found = try walker.next(before: segment.bytes) {
                    if found.missing > 0 { verdict.damaged += 1 }
                    let block = try? BlockReader(found, in: walker.file, namesOnly: false)
                    if found.header.form == .tombstone || !(block?.isWhole ?? false) {
                        verdict.damaged += 1
                        chain = nil
                    } else {
                        if let chain, chain != found.header.previous { verdict.unchained += 1 }
                        chain = found.header.hash
                        verdict.blocks += 1
                        verdict.records += UInt64(found.header.rows)
                    }
                    verdict.bytes += Int64(found.header.extent)
                    guard progress(Double(verdict.bytes) / Double(total)) else { return verdict }
                }
            }
        }
        return verdict
    }
}
