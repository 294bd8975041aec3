import Base

/// How long an answer usually takes, by the smoothed round-trip time and its variation (RFC 6298, section 2).
struct RoundTripEstimate: Sendable {
    /// Below this a busy router's own timers, not the network, would decide (the RFC's granularity G).
    static let granularity = Duration.milliseconds(20)
    static let patienceMin = Duration.milliseconds(60)

    /// In whole nanoseconds: this is reckoned with each answer, and `Duration` has 128 bits.
    private struct Smoothed: Sendable {
        /// SRTT
        var time: Int64
        /// RTTVAR
        var variation: Int64
    }
    private var smoothed: Smoothed?

    /// One measured round trip. Every probe is told by its number, so late answers measure as well as others.
    mutating func add(_ sample: Duration) {
        let sample = sample.nanoseconds
        guard let old = smoothed else {
            smoothed = Smoothed(time: sample, variation: sample / 2)
            return
        }
        let error = abs(old.time - sample)
        smoothed = Smoothed(
            time: (old.time * 7 + sample) / 8, variation: (old.variation * 3 + error) / 4)
    }

    /// After this an answer is suspiciously late, but never after more than `timeout`; `timeout` before
    /// anything was measured.
    func patience(atMost timeout: Duration) -> Duration {
        guard let smoothed else { return timeout }
        let usual =
            .nanoseconds(smoothed.time)
            + max(Self.granularity, .nanoseconds(smoothed.variation * 4))
        return min(timeout, max(Self.patienceMin, usual))
    }
}
