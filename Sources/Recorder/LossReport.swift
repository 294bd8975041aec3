package import Base

/// What was lost, and why: the text of a loss record (`drawbridge` / `recorder.loss`), as JSON.
package struct LossReport: Codable, Equatable, Sendable {
    /// The sequences among which it was; nil for readings that never got one.
    package var from: UInt64?
    package var through: UInt64?
    /// How many readings are missing.
    package var count: UInt64
    /// When they were read, in milliseconds of the wall clock; nil if that cannot be told any more.
    package var first: Int64?
    package var last: Int64?
    package var reason: String
    /// How many of each source, as far as they could still be read.
    package var sources: [String: UInt64]
    /// How many of each tag, by source.
    package var tags: [String: [String: UInt64]]
    /// How many readings this store has lost in all its life, these included.
    package var total: UInt64

    package static let source = "drawbridge"
    package static let tag = "recorder.loss"
    /// Where tags are counted that cannot be told apart any more.
    package static let others = "other"

    package init(reason: String) {
        count = 0
        self.reason = reason
        sources = [:]
        tags = [:]
        total = 0
    }

    private var tagCount: Int { tags.values.reduce(0) { $0 + $1.count } }

    /// A reading that is lost.
    package mutating func add(_ reading: Reading) {
        add(TagName(source: reading.source, tag: reading.tag), count: 1)
        include(wall: reading.time.wall)
    }

    /// Some readings of one tag that are lost.
    package mutating func add(_ name: TagName, count: Int) {
        guard count > 0 else { return }
        self.count += UInt64(count)
        include(source: name.source, count: UInt64(count))
        include(name.source, name.tag, UInt64(count))
    }

    /// Readings that are lost and of which nothing can be told but how many.
    package mutating func add(unknown count: UInt64) {
        guard count > 0 else { return }
        self.count += count
        include(source: Self.others, count: count)
        include(Self.others, Self.others, count)
    }

    /// Sequences that are lost, whether or not their readings can still be told.
    package mutating func include(sequences range: ClosedRange<UInt64>) {
        from = min(from ?? range.lowerBound, range.lowerBound)
        through = max(through ?? range.upperBound, range.upperBound)
    }

    package mutating func include(wall: WallTime) {
        first = min(first ?? wall.milliseconds, wall.milliseconds)
        last = max(last ?? wall.milliseconds, wall.milliseconds)
    }

    /// Takes over a report that would itself be lost, or that is still waiting.
    package mutating func merge(_ other: LossReport) {
        count += other.count
        if let from = other.from, let through = other.through, from <= through {
            include(sequences: from...through)
        }
        for wall in [other.first, other.last] {
            if let wall { include(wall: WallTime(milliseconds: wall)) }
        }
        for (source, count) in other.sources { include(source: source, count: count) }
        for (source, tags) in other.tags {
            for (tag, count) in tags { include(source, tag, count) }
        }
        let reasons = reason.split(separator: ", ")
        for new in other.reason.split(separator: ", ") where !reasons.contains(new) {
            reason += ", " + new
        }
    }

    /// The report in pieces that fit into a record each: their counts add up to this one's.
    package var pieces: [LossReport] {
        guard tagCount > Limits.lossTagsPerRecord else { return [self] }
        var pieces: [LossReport] = []
        var piece = emptied
        for (source, tags) in tags.sorted(by: { $0.key < $1.key }) {
            for (tag, count) in tags.sorted(by: { $0.key < $1.key }) {
                piece.count += count
                piece.include(source: source, count: count)
                piece.include(source, tag, count)
                guard piece.tagCount >= Limits.lossTagsPerRecord else { continue }
                pieces.append(piece)
                piece = emptied
            }
        }
        return piece.count > 0 ? pieces + [piece] : pieces
    }

    private var emptied: LossReport {
        var piece = self
        piece.count = 0
        piece.sources = [:]
        piece.tags = [:]
        return piece
    }

    private mutating func include(source: String, count: UInt64) {
        let name = String(source.prefix(Limits.lossNameCharactersMax))
        let isKnown = sources[name] != nil || sources.count < Limits.lossSourcesMax
        sources[isKnown ? name : Self.others, default: 0] += count
    }

    private mutating func include(_ source: String, _ tag: String, _ count: UInt64) {
        let isKnown = tags[source]?[tag] != nil || tagCount < Limits.lossTagsMax
        tags[isKnown ? source : Self.others, default: [:]][
            isKnown ? tag : Self.others, default: 0] +=
            count
    }
}
