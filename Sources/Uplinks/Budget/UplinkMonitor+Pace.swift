import Base

// A budget: regular probes further apart than `interval`.
extension UplinkMonitor {
    /// When the next regular probe is due.
    var regularAt: Instant { nextProbe + stretch }

    /// What the pace adds to the interval. A loss is followed up at the configured one, and so is a recovery.
    var stretch: Duration {
        guard pace > limits.interval else { return .zero }
        switch state {
        case .up(let doubts):
            return doubts.losses.count == 0 && !doubts.hasSuspicion
                ? pace - limits.interval : .zero
        case .down: return pace - limits.interval
        case .unseen, .noLink, .untried, .doubtful, .recovering: return .zero
        }
    }
}
