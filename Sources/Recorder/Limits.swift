/// The bounds of the recorder's memory and files.
package enum Limits {
    /// File systems give space in blocks, and flash is written in pages: everything begins at one.
    package static let pageBytes = 4096
    /// Records of one block, and that wait in memory and in the journal to be sealed, at most.
    package static let blockRowsMax = 131_072
    /// Where few names share them, half as many wait: a block is unpacked as a whole to be read, 26 bytes a record.
    package static let openRowsMin = 65_536
    /// Records of each name that a block should hold, so that the names' own bytes stay few beside them.
    package static let openRowsPerName = 96

    /// How many records wait to be sealed, of so many names, before they are.
    package static func openRowsMax(names: Int) -> Int {
        min(blockRowsMax, max(openRowsMin, names * openRowsPerName))
    }

    /// Bytes of their texts, at most.
    package static let openTextBytesMax = 8 << 20
    /// Records of one journal frame.
    package static let frameRowsMax = 4096
    /// Bytes of texts and names after which a frame takes no more.
    package static let frameTextBytesMax = 64 * 1024
    /// Bytes of a frame's payload after which it grows no more: to grow means to be packed again as a whole. Then
    /// its two pages are nearly full.
    package static let frameGrowthBytesMax = 6 * 1024
    /// Bytes of a source's or a tag's name.
    package static let nameBytesMax = 512
    /// Names that one block knows, at most.
    package static let namesMax = 65_536
    /// Bytes of a decompressed section of a block, at most.
    package static let sectionBytesMax = 64 << 20
    /// Records that one `batch` returns at most.
    package static let batchRecordsMax = 10_000
    /// Rows of blocks that stay unpacked for those who read them: one block of few names.
    package static let unpackedRowsMax = openRowsMin
    /// Bytes of texts after which a batch is not filled further.
    package static let batchBytesMax = 1 << 20
    /// Boots whose clock is known to have been kept; an older one's times are left as they were recorded.
    package static let bootsMax = 64
    /// Cursors besides the cloud's.
    package static let cursorsMax = 8
    /// Bytes of a cursor's name.
    package static let cursorNameBytesMax = 63
    /// How far past a damaged place the next whole block is looked for when the store is opened.
    package static let tailSearchBytes: Int64 = 256 * 1024
    /// Tags that one loss record names; further ones go into further records.
    package static let lossTagsPerRecord = 500
    /// Tags that are told apart in losses; the rest is counted as `other`.
    package static let lossTagsMax = 20_000
    /// Sources that a loss record counts; the others are counted as `other`.
    package static let lossSourcesMax = 16
    /// Characters of a source's name in that count.
    package static let lossNameCharactersMax = 32
}
