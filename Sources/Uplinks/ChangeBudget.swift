package import Base

/// Bounds a quarrel with another daemon about our routes: what it does is undone at once, but not
/// endlessly. A new choice of uplink never waits.
package struct ChangeBudget: Sendable {
    /// Most changes of the tables for the same choice in one `period`.
    package static let changesMax = 10
    package static let period = Duration.seconds(1)

    private var changes = 0
    private var since = Instant.boot
    private var carrying: Int?

    package init() {}

    /// Asks for one change for this choice: nil, it may be made; otherwise when to ask again.
    package mutating func spend(for choice: Int?, at now: Instant) -> Instant? {
        if now - since >= Self.period || choice != carrying {
            (changes, since, carrying) = (0, now, choice)
        }
        changes += 1
        return changes > Self.changesMax ? since + Self.period : nil
    }
}
