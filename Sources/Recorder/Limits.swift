/// The bounds of the recorder's memory and files.
package enum Limits {
    /// Records that one frame holds at most.
    package static let frameRecordsMax = 4096
    /// Bytes of one frame at most: more than the longest reading needs.
    package static let frameBytesMax = 72 * 1024
    /// Bytes of a source's or a tag's name.
    package static let nameBytesMax = 512
    /// Records that one `batch` returns at most.
    package static let batchRecordsMax = 10_000
    /// Encoded bytes after which a batch is not filled further.
    package static let batchBytesMax = 1 << 20
    /// Bytes that are read from a segment in one call.
    package static let readBytes = 256 * 1024
    /// Bytes written but not yet synced; reached, the next sync does not wait for its time.
    package static let unsyncedBytesMax = 4 << 20
    /// Segments that one `append` may give up because the disk is full.
    package static let evictionsForSpaceMax = 2
    /// Sources that a loss record names; the others are counted as `other`.
    package static let lossSourcesMax = 16
    /// Characters of a source's name within a loss record.
    package static let lossNameCharactersMax = 32
}
