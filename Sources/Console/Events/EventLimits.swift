/// The bounds of the event log: 8 MiB, some 20,000 events.
package enum EventLimits {
    package static let fileBytesMax = 1 << 20
    /// The oldest file makes room for a new one.
    package static let filesMax = 8
    /// Longest line of a file.
    package static let lineBytesMax = 8 << 10
    /// Events that may wait for a disk that takes none; then the oldest are dropped, which is told.
    package static let waitingMax = 256
}

/// Where events are kept.
package protocol EventStore: Sendable {
    /// The last entry, once what a power cut left unfinished is cut off; nil: there is none.
    func open() throws -> (last: EventEntry?, repaired: String?)
    /// Returns when the entries survive a power cut.
    func append(_ entries: [EventEntry]) throws
}
