package import Base

/// The ring's sealed blocks, as far as the cloud needs them: the Recorder in the daemon, an array in tests.
package protocol BlockSource: Sendable {
    /// The first block that was not delivered; nil: all were. The same one until it is delivered or overwritten.
    func nextBlock() async throws -> StoredBlock?

    /// The server has a block.
    func blockDelivered(_ block: StoredBlock) async throws
}

/// What carries a block to its server; a fake in tests.
package protocol BlockCarrier: Sendable {
    /// `budget`: bytes a second that it may take.
    func send(_ block: StoredBlock, budget: Int) async -> BulkReply
}
