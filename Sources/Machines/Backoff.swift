import Base

/// How long to wait before the next attempt: twice as long each time, within bounds, never quite the same.
package struct Backoff: Sendable {
    private var step = Limits.backoffMin

    package init() {}

    /// The next wait: between three quarters and the whole of the step.
    package mutating func attemptFailed(random: inout some RandomNumberGenerator) -> Duration {
        defer { step = min(step * 2, Limits.backoffMax) }
        return max(Limits.backoffMin, step * Double.random(in: 0.75...1, using: &random))
    }

    package mutating func succeeded() {
        step = Limits.backoffMin
    }
}
