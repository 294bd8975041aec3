/// How long to wait before the next attempt: doubling, with jitter, so that a thousand routers do not
/// come back to a restarted server in the same second.
package struct Backoff: Sendable {
    package let shortest: Duration
    package let longest: Duration
    /// Attempts that failed one after another.
    package private(set) var failures = 0
    private var step: Duration

    package init(shortest: Duration = .seconds(1), longest: Duration = .seconds(30)) {
        self.shortest = shortest
        self.longest = longest
        step = shortest
    }

    /// An attempt failed: wait this long, 1…2, 2…4, 4…8 times `shortest` and so on, up to `longest`.
    package mutating func failed(using generator: inout some RandomNumberGenerator) -> Duration {
        let wait = step * Double.random(in: 1...2, using: &generator)
        step = min(longest / 2, step * 2)
        failures += 1
        return min(longest, wait)
    }

    /// An attempt succeeded, or the circumstances changed: the next failure begins anew.
    package mutating func reset() {
        step = shortest
        failures = 0
    }
}
