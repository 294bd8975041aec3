/// A point in monotonic time: nanoseconds since boot, suspended time included.
///
/// All decisions use this clock; wall time (`WallTime`) is only a label.
/// The corresponding kernel clock is `CLOCK_BOOTTIME`.
package struct Instant: Hashable, Comparable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    package static let boot = Instant(nanoseconds: 0)

    package static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
    // In their own right: those that `Comparable` makes of the first are called through its witnesses from other modules.
    package static func <= (a: Instant, b: Instant) -> Bool { a.nanoseconds <= b.nanoseconds }
    package static func > (a: Instant, b: Instant) -> Bool { a.nanoseconds > b.nanoseconds }
    package static func >= (a: Instant, b: Instant) -> Bool { a.nanoseconds >= b.nanoseconds }
    package static func + (a: Instant, b: Duration) -> Instant {
        Instant(nanoseconds: a.nanoseconds + b.nanoseconds)
    }
    package static func - (a: Instant, b: Duration) -> Instant {
        Instant(nanoseconds: a.nanoseconds - b.nanoseconds)
    }
    package static func - (a: Instant, b: Instant) -> Duration {
        .nanoseconds(a.nanoseconds - b.nanoseconds)
    }
    package static func += (a: inout Instant, b: Duration) { a = a + b }

    /// This one, or `other` if that is there and earlier.
    package func orEarlier(_ other: Instant?) -> Instant { other.map { min(self, $0) } ?? self }

    /// The next moment that is a whole number of `period` since boot, later than this one.
    ///
    /// What is done again and again and may begin at any time begins then: one wake-up serves all of it.
    package func next(multipleOf period: Duration) -> Instant {
        precondition(period > .zero)
        return Instant(nanoseconds: (nanoseconds / period.nanoseconds + 1) * period.nanoseconds)
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z, as the router's wall clock showed them.
///
/// A label for people and for the cloud; never an input to a decision.
package struct WallTime: Hashable, Comparable, Sendable {
    package var milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    package static func < (a: WallTime, b: WallTime) -> Bool { a.milliseconds < b.milliseconds }
}

extension Duration {
    /// The whole duration in nanoseconds; attoseconds are cut off.
    package var nanoseconds: Int64 {
        // 10⁹ is 2⁹ · 5⁹: for up to an hour 64 bits are left after a shift, and a division of 128 bits is a call.
        if let shifted = UInt64(exactly: attoseconds >> 9) { return Int64(shifted / 1_953_125) }
        return Int64(attoseconds / 1_000_000_000)
    }

    /// The whole duration in milliseconds, with fractions.
    package var milliseconds: Double { Double(nanoseconds) / 1e6 }

    /// The whole duration in seconds, with fractions.
    package var inSeconds: Double { Double(nanoseconds) / 1e9 }
}

/// The clock that services read and wait on: the kernel's in the daemon, a virtual one in simulations.
package protocol MonotonicClock: Sendable {
    func now() -> Instant

    /// Returns at `deadline` or, if that has passed, at once; throws `CancellationError` when cancelled.
    func sleep(until deadline: Instant) async throws
}

extension WallTime {
    /// Before this, the begin of 2024, the clock cannot be right: a router without a battery wakes up in 1970.
    package static let clockIsRightFrom = WallTime(milliseconds: 1_704_067_200_000)
}
