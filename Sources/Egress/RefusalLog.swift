package import Base

/// What was refused, counted by name: the first to be looked at when something does not connect.
package struct RefusalLog: Sendable {
    package struct Entry: Equatable, Sendable {
        package var name: String
        package var reason: Reason
        package var count: Int
        package var lastAt: Instant
    }

    package enum Reason: String, Hashable, Sendable {
        /// The name is not on the list.
        case name
        /// The answer leads to a name that is not on the list.
        case alias
        /// The answer leads into a special or local network.
        case address
    }

    /// Most names that are counted one by one.
    package static let namesMax = 64

    private struct Key: Hashable {
        var name: String
        var reason: Reason
    }

    private var counts: [Key: (count: Int, lastAt: Instant)] = [:]
    /// Refusals of further names, once the table is full.
    package private(set) var others = 0

    package init() {}

    /// Counts a refusal; true if it is the first of this name, so that it is logged once.
    package mutating func note(_ name: String, _ reason: Reason, at now: Instant) -> Bool {
        let key = Key(name: name, reason: reason)
        if let known = counts[key] {
            counts[key] = (known.count + 1, now)
            return false
        }
        guard counts.count < Self.namesMax else {
            others += 1
            return false
        }
        counts[key] = (1, now)
        return true
    }

    /// The most refused first.
    package var entries: [Entry] {
        counts.map {
            Entry(
                name: $0.key.name, reason: $0.key.reason, count: $0.value.count,
                lastAt: $0.value.lastAt)
        }.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
    }
}
