package import Base
package import Linux

extension RingStore {
    /// Makes all accepted records survive a power cut, and tells of losses.
    package mutating func sync() throws(SystemError) {
        let hasTrouble = writeTrouble != nil
        takePendingLoss()
        let through = lastSequence
        do throws(SystemError) {
            if hasTrouble {
                // The journal may be full of what it cannot hold: into the segments with it.
                writeTrouble = nil
                if !open.isEmpty { try seal() }
            }
            writeFrame()
            if let writeTrouble { throw SystemError(writeTrouble, code: 5) }
            try journal.sync()
        } catch {
            if writeTrouble == nil { writeTrouble = error.isDiskFull ? "disk full" : "\(error)" }
            throw error
        }
        closeFrame()
        durableThrough = through
        savedCursor = max(savedCursor, writtenCursor)
        savedNotes = writtenNotes
        bury()
    }

    /// A time service keeps the clock, which shows this: what was recorded since boot can be told in its terms.
    /// True if that is news.
    package mutating func clockIsKept(_ time: Timestamp) -> Bool {
        notes.clocks.kept(time, in: bootID)
    }

    /// Puts the cursor and the notes on flash, if they have changed since; with records that wait to be synced it
    /// costs nothing.
    package mutating func saveCursor() throws(SystemError) {
        guard cursor != savedCursor || notes != savedNotes else { return }
        if journal.hasRoom(Limits.pageBytes, reserve: plan.journalReserveBytes) {
            writeFrame(isForced: true)
        } else if open.isEmpty {
            turnJournal(open)
        }
        try sync()
    }

    /// Tells of a loss, and has that on flash before what is lost is overwritten.
    mutating func commitLoss() throws(SystemError) {
        takePendingLoss()
        // A journal without room for it: it stays in memory, and is told in the next one.
        writeFrame(usingReserve: true, canSeal: false)
        try journal.sync()
        closeFrame()
    }
}
