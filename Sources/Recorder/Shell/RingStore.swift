package import Base
package import Linux

/// The ring on its files: appends, syncs, gives up the oldest segment when the quota is reached.
///
/// One thread uses it at a time. What it decides is in `Ring`; what it does goes through `RingDirectory`.
package struct RingStore {
    let directory: any RingDirectory
    let store: StoreID
    private let bootID: BootID
    private let now: @Sendable () -> Timestamp

    package internal(set) var ring: Ring
    var file: (any RingFile)?
    /// What was written to the open segment since its last sync: written again if a sync fails, for the
    /// kernel may then have dropped it.
    var unsynced: [UInt8] = []
    var syncHasFailed = false

    /// Records up to here survive a power cut.
    package internal(set) var durableThrough: UInt64
    /// What the consumer has acknowledged.
    package internal(set) var cursor: UInt64
    var savedCursor: UInt64
    package private(set) var newest: WallTime?

    /// Readings lost in the store's life.
    package internal(set) var lost: UInt64
    /// A loss that is not yet in the ring.
    package internal(set) var pendingLoss: LossReport?
    /// Sequences up to here that are lost have been told already.
    var lossToldThrough: UInt64 = 0

    package internal(set) var damagedFrames: Int
    package let tornBytes: Int64
    package let cursorWasDamaged: Bool
    var writeTrouble: String?
    var syncTrouble: String?
    var cursorTrouble: String?
    var position: ReadPosition?
    /// Damaged sequences up to here have been told as lost.
    var gapsToldThrough: UInt64 = 0

    /// Opens the store in a directory, or begins a new one there.
    package init(
        _ directory: some RingDirectory, quota: ByteSize, bootID: BootID,
        now: @escaping @Sendable () -> Timestamp
    ) throws(SystemError) {
        let recovery = try Recovery(directory, plan: RingPlan(quota: quota))
        self.directory = directory
        self.bootID = bootID
        self.now = now
        store = recovery.store
        ring = recovery.ring
        file = recovery.file
        cursor = recovery.cursor
        savedCursor = recovery.cursor
        durableThrough = recovery.ring.lastSequence
        newest = recovery.newest
        lost = recovery.lost
        damagedFrames = recovery.damagedFrames
        tornBytes = recovery.tornBytes
        cursorWasDamaged = recovery.cursorWasDamaged
        try evict(ring.evictionsToFit, reason: "ring full")
        // On a full disk this fails: the store works without, and its state tells.
        if recovery.cursorIsMissing { try? writeCursor() }
    }

    /// What is wrong, in words; nil while all is well.
    package var trouble: String? { writeTrouble ?? syncTrouble ?? cursorTrouble }

    /// Records up to here may be handed out: what was handed out must never be taken back by a power cut,
    /// or its sequences would name other readings. A flash that no longer syncs is past that promise.
    package var deliverableThrough: UInt64 { syncHasFailed ? ring.lastSequence : durableThrough }

    /// Writes the readings. Those that cannot be written are counted as lost, and the error is thrown.
    package mutating func append(_ readings: [Reading]) throws(SystemError) {
        var rest = readings[...]
        while let first = rest.first {
            guard FrameBuilder.accepts(first) else {
                lose([first], reason: "too large")
                rest.removeFirst()
                continue
            }
            let start = rest.startIndex
            var frame = FrameBuilder(bootID: bootID, base: first.time)
            while let next = rest.first, FrameBuilder.accepts(next), frame.add(next) {
                rest.removeFirst()
            }
            do throws(SystemError) {
                try write(frame)
            } catch {
                lose(readings[start...], reason: error.isDiskFull ? "disk full" : "disk error")
                throw error
            }
            newest = readings[rest.startIndex - 1].time.wall
        }
    }

    private mutating func lose(_ readings: ArraySlice<Reading>, reason: String) {
        var report = LossReport(reason: reason)
        for reading in readings { report.add(reading) }
        lose(report, new: report.count)
    }

    mutating func lose(_ report: LossReport, new count: UInt64) {
        lost += count
        guard pendingLoss != nil else {
            pendingLoss = report
            return
        }
        pendingLoss?.merge(report)
    }

    /// Tells of losses that are not in the ring yet, if there is room now.
    package mutating func writePendingLoss() throws(SystemError) {
        if pendingLoss != nil { try write(nil) }
    }

    /// Writes a frame, after what is to be told of losses; gives up old segments if the disk is full.
    private mutating func write(_ frame: FrameBuilder?) throws(SystemError) {
        // History is worth giving up for new readings, not for the word that some are missing.
        var evictionsLeft = frame == nil ? 0 : Limits.evictionsForSpaceMax
        while true {
            do throws(SystemError) {
                try placePendingLoss()
                if let frame { try place(frame) }
                writeTrouble = nil
                return
            } catch {
                let canEvict = ring.segments.count > (ring.isOpen ? 1 : 0)
                guard error.isDiskFull, canEvict, evictionsLeft > 0 else {
                    writeTrouble = error.isDiskFull ? "disk full" : "\(error)"
                    throw error
                }
                evictionsLeft -= 1
                try evict(1, reason: "disk full")
            }
        }
    }

    private mutating func placePendingLoss() throws(SystemError) {
        guard let frame = pendingLossFrame else { return }
        if !ring.hasRoom(forFrame: frame.frameBytes, isLoss: true) { try beginSegment() }
        // Beginning a segment may have added to the loss, or told it already.
        guard let frame = pendingLossFrame else { return }
        try put(frame)
        pendingLoss = nil
    }

    private mutating func place(_ frame: FrameBuilder) throws(SystemError) {
        if unsynced.count > Limits.unsyncedBytesMax { try sync() }
        if !ring.hasRoom(forFrame: frame.frameBytes, isLoss: false) { try beginSegment() }
        try put(frame)
    }

    /// What is to be told of losses, in a frame of its own; nil if there is nothing.
    var pendingLossFrame: FrameBuilder? {
        guard var report = pendingLoss else { return nil }
        report.total = lost
        let time = now()
        var frame = FrameBuilder(bootID: bootID, base: time)
        return frame.add(report.reading(at: time)) ? frame : nil
    }

    mutating func put(_ frame: FrameBuilder) throws(SystemError) {
        guard let file, let active = ring.active else {
            throw SystemError("write to \(directory.path) without an open segment", code: 9)
        }
        let bytes = frame.sealed(
            first: ring.nextSequence, seed: store.seed(segment: active.number))
        do throws(SystemError) {
            try file.write(bytes, at: active.bytes)
        } catch {
            try? file.truncate(to: active.bytes)
            throw error
        }
        unsynced += bytes
        ring.frameWritten(bytes: bytes.count, records: frame.count)
    }

    private mutating func beginSegment() throws(SystemError) {
        try evict(ring.evictionsForNewSegment, reason: "ring full")
        try sync()
        let name = SegmentName.text(ring.nextNumber)
        let time = now().wall
        let header = SegmentHeader(
            store: store, number: ring.nextNumber, firstSequence: ring.nextSequence, lost: lost,
            wallMilliseconds: time.milliseconds)
        let new = try directory.create(name)
        do throws(SystemError) {
            try new.write(header.encoded, at: 0)
            try new.sync()
            try directory.sync()
        } catch {
            try? directory.remove(name)
            throw error
        }
        file = new
        ring.segmentBegun(bytes: SegmentHeader.bytes, at: time)
    }
}

extension SystemError {
    /// `ENOSPC` or `EDQUOT`
    var isDiskFull: Bool { code == 28 || code == 122 }
}
