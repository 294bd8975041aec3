package import Base

extension RecorderService {
    /// Of the sealed blocks that were not delivered as they are, the one that begins first; nil: all were. The first
    /// call of all begins with the oldest block.
    package func nextBlock() async throws -> StoredBlock? {
        if store.sequence(of: .bulk) == nil {
            try store.addCursor(
                Consumer.bulkName, at: store.firstSequence - min(1, store.firstSequence))
        }
        return try store.nextBlock()
    }

    /// The server has a block as it is.
    package func blockDelivered(_ block: StoredBlock) async throws {
        try store.blockDelivered(block)
    }

    /// No block goes anywhere as it is any more: none of them is lost to anybody.
    package func forgetBlocks() async { store.forgetBlocks() }
}

extension RecorderKeeperService {
    package func nextBlock() async throws -> StoredBlock? {
        try await openOrThrow().nextBlock()
    }

    package func blockDelivered(_ block: StoredBlock) async throws {
        try await openOrThrow().blockDelivered(block)
    }

    /// Waits for the store.
    package func forgetBlocks() async throws { try await opened().forgetBlocks() }
}
