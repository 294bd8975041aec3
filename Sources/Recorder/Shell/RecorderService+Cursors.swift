package import Base

/// Where a cursor begins that is not there yet.
package enum CursorStart: String, Sendable, CaseIterable {
    /// With the oldest record of the ring.
    case oldest
    /// With what comes from now on.
    case now
}

extension RecorderService {
    /// The next records of a reader, at most `limit`, after it has said up to where it has them: told again until
    /// then. A cursor that is not there yet begins at `start`.
    package func read(
        as name: String, acknowledged sequence: UInt64?, from start: CursorStart, limit: Int
    ) async throws -> [Record] {
        guard name != Consumer.bulkName else { throw CursorRefusal.reserved }
        if store.sequence(of: .reader(name)) == nil {
            let oldest = store.firstSequence - min(1, store.firstSequence)
            try store.addCursor(name, at: start == .oldest ? oldest : store.deliverableThrough)
        }
        if let sequence { store.acknowledge(through: sequence, by: .reader(name)) }
        let after = store.sequence(of: .reader(name)) ?? 0
        return try store.batch(after: after, limit: limit)
    }

    /// False if there is no such cursor.
    package func forgetCursor(_ name: String) async throws -> Bool {
        guard name != Consumer.bulkName else { throw CursorRefusal.reserved }
        return store.removeCursor(name)
    }
}

extension RecorderKeeperService {
    package func read(
        as name: String, acknowledged sequence: UInt64?, from start: CursorStart, limit: Int
    ) async throws -> [Record] {
        try await openOrThrow().read(as: name, acknowledged: sequence, from: start, limit: limit)
    }

    package func forgetCursor(_ name: String) async throws -> Bool {
        try await openOrThrow().forgetCursor(name)
    }
}
