import Base

// A budget: regular probes further apart than `interval`.
extension UplinkMonitor {
    /// When the next regular probe is due.
    var regularAt: Instant { nextProbe + stretch }

    /// What the pace adds to the interval. A loss is followed up at the configured one, and so is a recovery.
    var stretch: Duration {
        switch state {
        case .up(let doubts):
            doubts.losses.count == 0 && doubts.suspicion == nil
                ? max(.zero, pace - limits.interval) : .zero
        case .down: max(.zero, pace - limits.interval)
        case .unseen, .noLink, .untried, .doubtful, .recovering: .zero
        }
    }
}
