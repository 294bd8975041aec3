package import Base

/// How soon an uplink whose bytes are paid for may be asked for a login page, whatever its watch wants.
package struct CheckPace: Equatable, Sendable {
    /// At least between two checks if it came up, or got another way out, in between: it may go on like this all day.
    package static let afterFlap = Duration.seconds(60)
    /// At least between two checks once the month's budget is spent.
    package static let spent = Duration.seconds(3600)

    private var askedAt: Instant?
    private var hasFlapped = false

    package init() {}

    /// It is up again, or its way out is another one.
    package mutating func flapped() { hasFlapped = true }

    package mutating func asked(at now: Instant) {
        askedAt = now
        hasFlapped = false
    }

    /// When it may be asked; nil: at once.
    package func earliest(isSpent: Bool) -> Instant? {
        guard let askedAt else { return nil }
        if isSpent { return askedAt + Self.spent }
        return hasFlapped ? askedAt + Self.afterFlap : nil
    }
}
