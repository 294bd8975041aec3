import Base
package import Linux

extension RingStore {
    /// Makes all accepted records survive a power cut.
    package mutating func sync() throws(SystemError) {
        guard let file, let active = ring.active, !unsynced.isEmpty else {
            durableThrough = ring.lastSequence
            return
        }
        do throws(SystemError) {
            if syncHasFailed { try file.write(unsynced, at: active.bytes - Int64(unsynced.count)) }
            try file.sync()
        } catch {
            syncHasFailed = true
            syncTrouble = "\(error)"
            throw error
        }
        unsynced.removeAll(keepingCapacity: true)
        syncHasFailed = false
        syncTrouble = nil
        durableThrough = ring.lastSequence
    }

    /// The consumer has everything up to `sequence`.
    package mutating func acknowledge(through sequence: UInt64) {
        cursor = max(cursor, min(sequence, deliverableThrough))
    }

    /// Writes the cursor file, if the cursor has moved since.
    package mutating func saveCursor() throws(SystemError) {
        guard cursor != savedCursor else { return }
        try writeCursor()
    }

    /// Writes the cursor file; it also keeps the store's identity, should a segment's header be damaged.
    mutating func writeCursor() throws(SystemError) {
        do throws(SystemError) {
            let content = CursorFile(store: store, through: cursor).encoded
            try directory.replace(CursorFile.name, with: content)
        } catch {
            cursorTrouble = "\(error)"
            throw error
        }
        savedCursor = cursor
        cursorTrouble = nil
    }
}
