package import Base

/// How the recorder is doing.
package struct RecorderStatus: Equatable, Sendable {
    /// `"recording"`, `"closed"` or `"degraded: …"`
    package var state: String
    /// Whether readings are taken and kept as they shall be.
    package var isRecording: Bool { state == "recording" }
    /// All segments together.
    package var bytesUsed: ByteSize
    package var quota: ByteSize
    /// Of the oldest record that is still there.
    package var firstSequence: UInt64
    /// Of the newest accepted record; below `firstSequence` if there is none.
    package var lastSequence: UInt64
    /// Records up to here survive a power cut.
    package var durableThrough: UInt64
    /// When the oldest segment was begun, by the wall clock.
    package var oldest: WallTime?
    /// When the newest record was read, by the wall clock.
    package var newest: WallTime?
    /// The consumer has acknowledged up to here.
    package var cursor: UInt64
    /// Records that it has not.
    package var unsent: UInt64
    /// Readings accepted since the start.
    package var accepted: UInt64
    /// Readings lost in the store's life: each is told of in a loss record.
    package var lost: UInt64
    /// Damaged places found since the start.
    package var damagedFrames: Int
    /// The cursors besides the cloud's.
    package var cursors: [NamedCursor] = []
}
