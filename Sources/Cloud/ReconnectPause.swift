/// How long to wait before the next attempt: anything from nothing to a bound that doubles ("full jitter").
///
/// Routers that lost the same broker in the same second all come back to it. A wait drawn evenly from the
/// whole range spreads them over it; one that only varies around a mean keeps them together. So the first bound
/// after a session was lost is `spread`: of 10,000 routers at most about 10,000 ÷ its seconds come in one second.
/// (Marc Brooker, "Exponential Backoff and Jitter", 2015.)
package struct ReconnectPause: Sendable {
    private let shortest: Duration
    private let spread: Duration
    private let longest: Duration
    private var bound: Duration

    /// - Parameters:
    ///   - shortest: the first bound when there was no session to lose
    ///   - spread: the least bound after a session was lost
    ///   - longest: the greatest bound
    package init(shortest: Duration, spread: Duration, longest: Duration) {
        precondition(shortest > .zero && shortest <= longest && spread <= longest)
        self.shortest = shortest
        self.spread = spread
        self.longest = longest
        bound = shortest
    }

    /// An attempt failed, or a session was lost.
    package mutating func failed(
        lostSession: Bool, using generator: inout some RandomNumberGenerator
    ) -> Duration {
        if lostSession { bound = max(bound, spread) }
        let wait = bound * Double.random(in: 0...1, using: &generator)
        bound = min(longest, bound * 2)
        return wait
    }

    /// A session lasted, or the way out is another one: the next failure begins anew.
    package mutating func reset() { bound = shortest }
}
