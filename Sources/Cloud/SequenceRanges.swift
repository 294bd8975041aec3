/// Sequences in few, disjoint, growing ranges: what was confirmed ahead of the cursor.
package struct SequenceRanges: Equatable, Sendable {
    /// What comes after `after`, up to and including `through`.
    package struct Range: Equatable, Sendable {
        package var after: UInt64
        package var through: UInt64
    }

    package private(set) var ranges: [Range] = []
    private let rangesMax: Int

    /// Keeps at most `rangesMax` ranges: beyond that the newest one of those that will be sent again is forgotten.
    package init(rangesMax: Int) {
        precondition(rangesMax > 0)
        self.rangesMax = rangesMax
    }

    /// `sentAgain`: what is still to come, but for these ranges; only there one may be forgotten. Forgotten anywhere
    /// else it would be a gap that nobody closes.
    package mutating func insert(after: UInt64, through: UInt64, sentAgain: Range) {
        guard through > after else { return }
        var merged = Range(after: after, through: through)
        // Those that touch the new one.
        let first = ranges.firstIndex { $0.through >= after } ?? ranges.endIndex
        var end = first
        while end < ranges.endIndex, ranges[end].after <= through {
            merged.after = min(merged.after, ranges[end].after)
            merged.through = max(merged.through, ranges[end].through)
            end += 1
        }
        ranges.replaceSubrange(first..<end, with: [merged])
        guard ranges.count > rangesMax else { return }
        let newest = ranges.lastIndex {
            $0.after >= sentAgain.after && $0.through <= sentAgain.through
        }
        if let newest { ranges.remove(at: newest) }
    }

    /// Takes away what joins `cursor`, and returns how far that reaches.
    package mutating func take(from cursor: UInt64) -> UInt64 {
        var reached = cursor
        while let first = ranges.first, first.after <= reached {
            reached = max(reached, first.through)
            ranges.removeFirst()
        }
        return reached
    }

    /// The first sequences after `position` that are in no range: after what, and through what at most.
    package func gap(after position: UInt64) -> (after: UInt64, through: UInt64) {
        var start = position
        for range in ranges {
            if range.after > start { return (start, range.after) }
            start = max(start, range.through)
        }
        return (start, .max)
    }
}
