package import Base

/// How a quota is cut into files: two journals and equal segments. There is no other file: what a catalogue would say
/// stands in the segments and the journals themselves.
package struct StorePlan: Equatable, Sendable {
    /// All files together, at most.
    package let quota: Int64
    package let journalBytes: Int64
    package let segmentBytes: Int64
    package let segments: Int

    /// The smallest quota: two journals and seven segments.
    package static let quotaMin: Int64 = 1 << 20
    private static let page = Int64(Limits.pageBytes)

    /// `foreign` is what other files in the directory take of the quota.
    package init(quota: ByteSize, foreign: Int64 = 0) {
        self.quota = max(quota.bytes, Self.quotaMin)
        journalBytes = Self.clamped(self.quota / 64, (128 << 10)...(4 << 20))
        segmentBytes = Self.clamped(self.quota / 64, (96 << 10)...(32 << 20))
        // The directory itself and the lock.
        let others = 4 * Self.page + foreign
        let room = self.quota - 2 * journalBytes - others
        segmentsBudget = max(0, room)
        segments = Int(segmentsBudget / segmentBytes)
    }

    private static func clamped(_ bytes: Int64, _ range: ClosedRange<Int64>) -> Int64 {
        min(max(bytes / page * page, range.lowerBound), range.upperBound)
    }

    /// Below this many segments the classes could not keep what they are guaranteed.
    package static let segmentsMin = 6
    package var isEnough: Bool { segments >= Self.segmentsMin }

    /// Room at the end of a journal that only loss records may use: they are on flash before what they tell of
    /// is overwritten.
    package var journalReserveBytes: Int64 { min(journalBytes / 3, 512 << 10) }

    /// What all segments together may take.
    package let segmentsBudget: Int64

    package static func footprint(_ bytes: Int64) -> Int64 { (bytes + page - 1) / page * page }
}
