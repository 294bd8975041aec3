package import Base

/// The ring, as far as the cloud needs it: the Recorder in the daemon, an array in tests.
package protocol RecordSource: Sendable {
    /// The oldest records after a sequence, in order, at most `limit`; empty if there are none.
    func batch(after sequence: UInt64, limit: Int) async throws -> [Record]

    /// The same as soon as there are some; empty if they could not be read. Throws `CancellationError` when cancelled.
    func nextBatch(after sequence: UInt64, limit: Int) async throws -> [Record]

    /// Everything up to this sequence has reached the cloud.
    func acknowledge(through sequence: UInt64) async throws

    /// Returns once there are records after a sequence; throws `CancellationError` when cancelled.
    func waitForRecords(after sequence: UInt64) async throws

    /// Up to which sequence everything has reached the cloud.
    func cursor() async -> UInt64

    /// The newest record's sequence; it may not be on flash yet.
    func newest() async -> UInt64

    /// How many records have not reached the cloud.
    func backlog() async -> UInt64
}
