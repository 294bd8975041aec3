package import Base

/// How many requests are answered: a bucket of tokens for everybody and one for each caller.
package struct RequestBudget: Sendable {
    private struct Bucket {
        var tokens: Double
        var at: Instant
    }

    /// Per second, and at once.
    static let rate = 20.0
    static let burst = 40.0
    static let callerRate = 4.0
    static let callerBurst = 12.0
    /// Callers that are told apart; who comes when all are taken shares what is left for everybody.
    static let callersMax = 64

    private var all = Bucket(tokens: burst, at: .boot)
    private var callers: [IPv4Address: Bucket] = [:]

    package init() {}

    /// Whether this request is answered.
    package mutating func admits(_ caller: IPv4Address, at now: Instant) -> Bool {
        var mine = callers[caller] ?? Bucket(tokens: Self.callerBurst, at: now)
        guard
            Self.take(&mine, now, rate: Self.callerRate, burst: Self.callerBurst)
        else {
            callers[caller] = mine
            return false
        }
        if callers[caller] == nil, callers.count >= Self.callersMax {
            // A full bucket says nothing that is worth keeping.
            callers = callers.filter {
                (now - $0.value.at).inSeconds * Self.callerRate < Self.callerBurst
            }
        }
        if callers[caller] != nil || callers.count < Self.callersMax { callers[caller] = mine }
        return Self.take(&all, now, rate: Self.rate, burst: Self.burst)
    }

    private static func take(
        _ bucket: inout Bucket, _ now: Instant, rate: Double, burst: Double
    ) -> Bool {
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.at).inSeconds * rate)
        bucket.at = now
        guard bucket.tokens >= 1 else { return false }
        bucket.tokens -= 1
        return true
    }
}
