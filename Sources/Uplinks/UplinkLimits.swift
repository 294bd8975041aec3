package import Base

extension UplinkMonitor {
    /// What it is judged by, from `[keepalive]`.
    package struct Limits: Sendable {
        package var targets: [IPv4Address]
        package var interval: Duration
        /// At most `interval`: there is never more than one regular probe in flight.
        package var timeout: Duration
        /// N: consecutive lost probes until the uplink is down.
        package var failures: Int
        /// M: consecutive answered probes until it is up again.
        package var successes: Int
        /// A lost probe starts a burst of probes, and its outcome decides without waiting for N.
        package var burst: Bool
        /// The shortest silence that is believed. A queue that fills all at once delays answers by this much.
        package var confirm: Duration

        package init(
            targets: [IPv4Address], interval: Duration, timeout: Duration, failures: Int,
            successes: Int, burst: Bool,
            confirm: Duration = .milliseconds(850)
        ) {
            precondition((1...Losses.targetsMax).contains(targets.count))
            precondition(failures > 0 && successes > 0)
            precondition(timeout > .zero && timeout <= interval)
            self.targets = targets
            self.interval = interval
            self.timeout = timeout
            self.failures = failures
            self.successes = successes
            self.burst = burst
            self.confirm = confirm
        }
    }
}
