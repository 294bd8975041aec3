package import Base

/// How a quota is cut into segments.
package struct RingPlan: Equatable, Sendable {
    /// All files together, at most.
    package let quota: Int64
    /// One segment at most; a multiple of the block size.
    package let segmentBytes: Int64

    /// Room at the end of every segment that only a loss record may use: it is written before the segment
    /// whose loss it tells of is removed.
    package static let lossReserveBytes: Int64 = 8192
    /// File systems give space in blocks: every file counts as whole ones.
    package static let blockBytes: Int64 = 4096
    private static let segmentBytesRange: ClosedRange<Int64> = (128 << 10)...(32 << 20)
    /// The smallest quota: room for the cursor and for some segments.
    package static let quotaMin: Int64 = 1 << 20

    /// A sixty-fourth of the quota, 128 KiB … 32 MiB: what one eviction gives up.
    package init(quota: ByteSize) {
        self.quota = max(quota.bytes, Self.quotaMin)
        let share = self.quota / 64 / Self.blockBytes * Self.blockBytes
        let range = Self.segmentBytesRange
        segmentBytes = min(max(share, range.lowerBound), range.upperBound)
    }

    /// What all segments together may take: the quota without the cursor, its replacement while it is being
    /// written, and the directory itself.
    package var budget: Int64 {
        let directory = Self.footprint(Self.blockBytes + 64 * (quota / segmentBytes))
        return quota - 2 * Self.blockBytes - directory
    }

    package static func footprint(_ bytes: Int64) -> Int64 {
        (bytes + blockBytes - 1) / blockBytes * blockBytes
    }
}

/// Which segments there are, which one takes the next frame, and which must go to make room.
package struct Ring: Equatable, Sendable {
    package struct Segment: Equatable, Sendable {
        package var number: UInt64
        /// Of the first record in it, or of the next record if it has none.
        package var firstSequence: UInt64
        package var bytes: Int64
        /// By the wall clock, when it was begun; nil if its header is damaged.
        package var begun: WallTime?

        package init(number: UInt64, firstSequence: UInt64, bytes: Int64, begun: WallTime?) {
            self.number = number
            self.firstSequence = firstSequence
            self.bytes = bytes
            self.begun = begun
        }
    }

    package let plan: RingPlan
    /// Oldest first.
    package private(set) var segments: [Segment]
    /// Whether the last segment takes frames.
    package private(set) var isOpen: Bool
    /// Of the next record.
    package private(set) var nextSequence: UInt64
    /// Of the next segment: never used twice, for the checksums of its frames depend on it.
    package private(set) var nextNumber: UInt64
    /// What files that are not ours take of the quota.
    package let foreignBytes: Int64

    package init(
        plan: RingPlan, segments: [Segment] = [], isOpen: Bool = false, nextSequence: UInt64 = 1,
        foreignBytes: Int64 = 0
    ) {
        self.plan = plan
        self.segments = segments
        self.isOpen = isOpen && !segments.isEmpty
        self.nextSequence = nextSequence
        self.foreignBytes = foreignBytes
        nextNumber = (segments.last?.number ?? 0) + 1
    }

    package var active: Segment? { isOpen ? segments.last : nil }
    package var firstSequence: UInt64 { segments.first?.firstSequence ?? nextSequence }
    package var lastSequence: UInt64 { nextSequence - 1 }
    package var bytes: Int64 { segments.reduce(0) { $0 + $1.bytes } }

    /// Whether the open segment has room for a frame; a loss frame may use the reserve, too.
    package func hasRoom(forFrame bytes: Int, isLoss: Bool) -> Bool {
        guard let active else { return false }
        let limit = plan.segmentBytes - (isLoss ? 0 : RingPlan.lossReserveBytes)
        return active.bytes + Int64(bytes) <= limit
    }

    /// How many of the oldest segments must go before a whole new one may be begun.
    package var evictionsForNewSegment: Int { evictions(toFree: plan.segmentBytes) }

    /// How many of the oldest segments are too many, counting the open one at its full size.
    package var evictionsToFit: Int {
        evictions(toFree: active.map { max(0, plan.segmentBytes - footprint($0)) } ?? 0)
    }

    private func footprint(_ segment: Segment) -> Int64 { RingPlan.footprint(segment.bytes) }

    private func evictions(toFree needed: Int64) -> Int {
        var total = segments.reduce(foreignBytes + needed) { $0 + footprint($1) }
        var count = 0
        // The open segment stays: it carries the loss record. A plan always has room for several.
        while total > plan.budget && count < segments.count - (isOpen ? 1 : 0) {
            total -= footprint(segments[count])
            count += 1
        }
        return count
    }

    /// The last sequence of the segment at this place in `segments`.
    package func lastSequence(at index: Int) -> UInt64 {
        (index + 1 < segments.count ? segments[index + 1].firstSequence : nextSequence) - 1
    }

    /// The place of the segment that holds a sequence, or of the oldest one when it is gone already.
    package func index(holding sequence: UInt64) -> Int? {
        guard sequence < nextSequence, !segments.isEmpty else { return nil }
        var low = 0
        var high = segments.count
        while low < high {
            let middle = (low + high) / 2
            if segments[middle].firstSequence <= sequence {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return max(0, low - 1)
    }

    package mutating func segmentBegun(bytes: Int, at wall: WallTime) {
        segments.append(
            Segment(
                number: nextNumber, firstSequence: nextSequence, bytes: Int64(bytes), begun: wall))
        nextNumber += 1
        isOpen = true
    }

    package mutating func frameWritten(bytes: Int, records: Int) {
        precondition(isOpen, "frames go to an open segment only")
        segments[segments.count - 1].bytes += Int64(bytes)
        nextSequence += UInt64(records)
    }

    package mutating func oldestRemoved() {
        segments.removeFirst()
        isOpen = isOpen && !segments.isEmpty
    }
}
