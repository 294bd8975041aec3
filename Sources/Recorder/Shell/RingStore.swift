package import Base
package import Linux

/// The ring on its files: what comes in goes to the journal, from there in blocks to the segments, and the
/// oldest segment of the class most over its share makes room.
///
/// One thread uses it at a time. Which segment serves what is decided by `Pool`; files are reached through
/// `RingDirectory`.
package struct RingStore {
    let directory: any RingDirectory
    let store: StoreID
    let bootID: BootID
    let now: @Sendable () -> Timestamp

    let plan: StorePlan
    package internal(set) var pool: Pool
    var journal: Journal
    /// What is not sealed yet, and from where on it is not in a complete frame.
    var open = Rows()
    var frameRow = 0
    var frameName = 0
    var frameTextBytes = 0
    /// How many rows and names a frame holds that was written, complete or still growing.
    var writtenRow = 0
    var writtenName = 0
    /// Everything before the journal in use.
    private var settled: UInt64 = 0
    /// Where the sealed blocks ended when the journal in use was begun: what was written since may not be on
    /// flash yet.
    private var settledTails: [Pool.Tail]
    /// What files that cannot be read take.
    let unusableBytes: Int64

    /// Of the next record.
    package internal(set) var nextSequence: UInt64
    /// Records up to here survive a power cut.
    package internal(set) var durableThrough: UInt64
    /// What the cloud has acknowledged.
    package internal(set) var cursor: UInt64
    var savedCursor: UInt64
    /// The cursor of the frame that was written last.
    private(set) var writtenCursor: UInt64 = 0
    package internal(set) var newest: WallTime?
    /// What the journal tells beside records: as it is now, in the frame that was written last, and on flash.
    package internal(set) var notes: StoreNotes
    private(set) var writtenNotes = StoreNotes()
    var savedNotes = StoreNotes()

    /// Readings that the cloud has lost in the store's life.
    package internal(set) var lost: UInt64
    /// Losses that are not yet in the ring, each consumer's own.
    var pendingLosses: [Consumer: LossReport] = [:]

    package internal(set) var damagedBlocks = 0
    var writeTrouble: String?
    var positions = ReadPositions()
    var blockHeads: [ReadPosition.Head] = []
    var damage = DamageLedger()

    /// Opens the store in a directory, or begins a new one there.
    package init(
        _ directory: some RingDirectory, quota: ByteSize, bootID: BootID,
        now: @escaping @Sendable () -> Timestamp
    ) throws(SystemError) {
        let recovery = try Recovery(directory, quota: quota)
        self.directory = directory
        self.bootID = bootID
        self.now = now
        plan = recovery.plan
        store = recovery.store
        pool = recovery.pool
        journal = recovery.journal
        cursor = recovery.cursor
        savedCursor = recovery.cursor
        lost = recovery.lost
        nextSequence = recovery.nextSequence
        durableThrough = recovery.nextSequence - 1
        notes = recovery.notes
        settled = recovery.settled
        settledTails = recovery.settledTails
        unusableBytes = recovery.unusableBytes
        newest = recovery.parts.last?.rows.times.last?.wall
        damagedBlocks = recovery.damagedFrames
        for gone in recovery.gone {
            for consumer in consumers {
                guard let after = sequence(of: consumer), gone.through > after else { continue }
                var report = LossReport(reason: gone.reason)
                report.add(unknown: min(gone.count, gone.through - after))
                report.include(sequences: max(gone.after, after) + 1...gone.through)
                lose(report, for: consumer)
            }
        }
        try settle(recovery.parts)
    }

    /// Seals what an earlier run has left in the journal, and begins a journal of our own.
    private mutating func settle(_ parts: [Recovery.Part]) throws(SystemError) {
        try shrink()
        do throws(SystemError) {
            for part in parts { try place(part.rows, count: part.rows.count, bootID: part.bootID) }
        } catch {
            throw SystemError("seal what \(directory.path) holds", code: error.code)
        }
        takePendingLoss()
        try journal.resizeIdle(to: plan.journalBytes)
        turnJournal(open)
        try sync()
        try journal.resizeIdle(to: plan.journalBytes)
    }

    /// What is wrong, in words; nil while all is well.
    package var trouble: String? { writeTrouble }

    package var lastSequence: UInt64 { nextSequence - 1 }
    /// Of the oldest record that is still there.
    package var firstSequence: UInt64 {
        min(pool.firstSequence ?? .max, open.sequences.first ?? nextSequence)
    }
    package var bytesUsed: Int64 { pool.bytes + journal.offset }
    package var oldest: WallTime? { pool.oldest }

    /// Records up to here may be handed out: what was handed out must never be taken back by a power cut,
    /// or its sequences would name other readings. A flash that no longer syncs is past that promise.
    package var deliverableThrough: UInt64 {
        journal.syncHasFailed || writeTrouble != nil ? lastSequence : durableThrough
    }

    /// Whether a reading can be recorded at all: its texts are within their bounds.
    package static func accepts(_ reading: Reading) -> Bool {
        guard reading.source.utf8.count <= Limits.nameBytesMax,
            reading.tag.utf8.count <= Limits.nameBytesMax
        else { return false }
        guard case .string(let text) = reading.value else { return true }
        return text.utf8.count <= Reading.valueBytesMax
    }

    /// Takes the readings. While the flash fails they wait in memory; what that cannot hold is counted as lost,
    /// and the error is thrown.
    package mutating func append(
        _ readings: [Reading], as recordClass: RecordClass = .sample
    ) throws(SystemError) {
        var index = 0
        while index < readings.count {
            let reading = readings[index]
            guard Self.accepts(reading) else {
                lose([reading], reason: "too large")
                index += 1
                continue
            }
            do throws(SystemError) {
                if isFull { try seal() }
            } catch {
                lose(readings[index...], reason: error.isDiskFull ? "disk full" : "disk error")
                throw error
            }
            add(reading, as: recordClass)
            index += 1
        }
        writeFrame()
    }

    /// Whether memory holds all that it may.
    private var isFull: Bool {
        open.count >= Limits.openRowsMax(names: open.names.count)
            || open.textBytes >= Limits.openTextBytesMax
            || open.names.count >= Limits.namesMax
    }

    private mutating func add(_ reading: Reading, as recordClass: RecordClass) {
        var bytes = 0
        if case .string(let text) = reading.value { bytes = text.utf8.count }
        let isFrameFull =
            open.count - frameRow >= Limits.frameRowsMax
            || frameTextBytes > 0 && frameTextBytes + bytes > Limits.frameTextBytesMax
        if isFrameFull, writeTrouble == nil {
            writeFrame()
            closeFrame()
        }
        let names = open.names.count
        open.append(reading, sequence: nextSequence, recordClass: recordClass)
        if open.names.count > names { bytes += reading.source.utf8.count + reading.tag.utf8.count }
        frameTextBytes += bytes
        nextSequence += 1
        newest = reading.time.wall
    }

    /// The frame that was written last takes no more; what is in none yet begins the next one.
    mutating func closeFrame() {
        journal.closeFrame()
        frameRow = writtenRow
        frameName = writtenName
        frameTextBytes = 0
    }

    /// Writes what is in no complete frame, or seals everything if the journal has no room for it. Failing is
    /// no loss yet: it is tried again with the next sync.
    ///
    /// Losses may use the journal's reserve, and may be told in the middle of sealing.
    mutating func writeFrame(
        usingReserve: Bool = false, canSeal: Bool = true, isForced: Bool = false
    ) {
        guard writtenRow < open.count || isForced, writeTrouble == nil else { return }
        do throws(SystemError) {
            let (frame, payloadBytes) = encodedFrame()
            if journal.hasRoom(frame.count, reserve: usingReserve ? 0 : plan.journalReserveBytes) {
                writtenCursor = cursor
                writtenNotes = notes
                try journal.write(frame)
                writtenRow = open.count
                writtenName = open.names.count
                if payloadBytes > Limits.frameGrowthBytesMax { closeFrame() }
            } else if canSeal {
                try seal()
            }
        } catch {
            writeTrouble = error.isDiskFull ? "disk full" : "\(error)"
        }
    }

    private func encodedFrame() -> (bytes: [UInt8], payloadBytes: Int) {
        let newNames = open.names.list[frameName...]
        let names = BlockCoder.names(newNames, counts: newNames.map { _ in 0 })
        let picks = Array(frameRow..<open.count)
        let data =
            picks.isEmpty
            ? []
            : BlockCoder.data(open, picks, map: Array(0..<UInt32(open.names.count)))
        // The other journal, which has them, too, is the next to be overwritten.
        let told = journal.offset == 0 || notes != savedNotes ? notes.encoded : []
        let payload = Zstd.compressed(names + data + told, level: Zstd.quick)
        var header = FrameHeader(
            store: store, generation: journal.generation, bootID: bootID,
            firstSequence: picks.isEmpty ? nextSequence : open.sequences[frameRow],
            rows: picks.count, firstName: frameName, nameBytes: names.count,
            dataBytes: data.count, payloadBytes: payload.count,
            payloadChecksum: FrameHeader.payloadChecksum(
                payload, store: store, generation: journal.generation),
            cursor: cursor, lost: lost, settled: settled,
            tails: settledTails)
        header.noteBytes = told.count
        return (header.frame(payload), payload.count)
    }

    /// All of the journal is sealed but for these rows.
    mutating func turnJournal(_ rest: Rows) {
        journal.turn()
        open = rest
        settledTails = pool.tails
        settled = (rest.sequences.first ?? nextSequence) - 1
        frameRow = 0
        frameName = 0
        writtenRow = 0
        writtenName = 0
        frameTextBytes = rest.textBytes
        writeTrouble = nil
        durableThrough = lastSequence
        writeFrame(usingReserve: true, canSeal: false, isForced: true)
    }
}

extension SystemError {
    /// `ENOSPC` or `EDQUOT`
    var isDiskFull: Bool { code == 28 || code == 122 }
}
