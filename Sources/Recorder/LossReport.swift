package import Base

/// What was lost, and why: the text of a loss record (`drawbridge` / `recorder.loss`), as JSON.
package struct LossReport: Codable, Equatable, Sendable {
    /// The sequences that are missing; nil for readings that never got one.
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
    /// How many readings this store has lost in all its life, these included.
    package var total: UInt64

    package static let source = "drawbridge"
    package static let tag = "recorder.loss"

    package init(reason: String) {
        count = 0
        self.reason = reason
        sources = [:]
        total = 0
    }

    /// A reading that is lost.
    package mutating func add(_ reading: Reading) {
        count += 1
        include(wall: reading.time.wall.milliseconds)
        include(source: reading.source, count: 1)
    }

    /// Sequences that are lost, whether or not their readings can still be told.
    package mutating func include(sequences range: ClosedRange<UInt64>) {
        from = min(from ?? range.lowerBound, range.lowerBound)
        through = max(through ?? range.upperBound, range.upperBound)
    }

    /// Takes over a report that would itself be lost, or that is still waiting.
    package mutating func merge(_ other: LossReport) {
        count += other.count
        if let from = other.from, let through = other.through, from <= through {
            include(sequences: from...through)
        }
        for wall in [other.first, other.last] { wall.map { include(wall: $0) } }
        for (source, count) in other.sources { include(source: source, count: count) }
        let reasons = reason.split(separator: ", ")
        for new in other.reason.split(separator: ", ") where !reasons.contains(new) {
            reason += ", " + new
        }
    }

    private mutating func include(wall: Int64) {
        first = min(first ?? wall, wall)
        last = max(last ?? wall, wall)
    }

    private mutating func include(source: String, count: UInt64) {
        let name = String(source.prefix(Limits.lossNameCharactersMax))
        let isKnown = sources[name] != nil || sources.count < Limits.lossSourcesMax
        sources[isKnown ? name : "other", default: 0] += count
    }
}
