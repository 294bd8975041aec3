package import Base

/// How often an uplink with a budget is probed, so that what is left of the budget lasts for what is left of the month.
///
/// It never stops: when everything is spent, a probe still goes out each `slowest`.
package struct ProbePace: Equatable, Sendable {
    /// What is asked of the uplink at this moment.
    package enum Role: Equatable, Sendable {
        /// It waits for its turn.
        case standby
        /// It has the route; `isProven`: replies to its traffic come in, which prove more than a probe.
        case carrying(isProven: Bool)
        /// It does not answer, for so long, or none does: whichever is shorter.
        case silent(Duration)
        /// It is up and serves badly: whether that has passed takes some probes a minute.
        case poor
    }

    /// Who stands by, or is proven alive by traffic, is probed so much more slowly at least.
    package static let easeFactor = 5
    /// The longest time between two probes, unless the configured interval is longer.
    package static let slowest = Duration.seconds(300)
    /// Between two probes of an uplink that serves badly, while the budget allows it.
    static let poorInterval = Duration.seconds(10)
    /// A silent uplink is probed the more slowly the longer it is silent: so often within that time.
    static let silentProbes = 20
    /// With less than this share of what a steady use would have left, only the steady use remains.
    static let shareMin = 0.5

    /// `[keepalive] interval`
    package var usual: Duration
    /// Bytes a month.
    package var budget: Int64
    /// Bytes since the month began.
    package var used: Int64
    /// Bytes of a probe and its answer.
    package var probe: Int
    package var month: MonthPart

    package init(usual: Duration, budget: Int64, used: Int64, probe: Int, month: MonthPart) {
        precondition(budget > 0 && probe > 0)
        self.usual = usual
        self.budget = budget
        self.used = used
        self.probe = probe
        self.month = month
    }

    private var left: Int64 { max(0, budget - used) }

    /// What is left of the budget, over what is left of the month: 1, if its use is steady.
    private var share: Double { Double(left) / Double(budget) / (1 - month.elapsedShare) }

    /// Spreads what is left evenly.
    private var steady: Duration {
        let longest = max(usual, Self.slowest)
        let probes = left / Int64(probe)
        guard probes > 0 else { return longest }
        let milliseconds = month.secondsLeft * 1000 / probes
        return min(longest, max(usual, .milliseconds(milliseconds)))
    }

    /// Whether there is enough for the many probes of a closer look at its quality.
    package var allowsCloserLook: Bool { share >= Self.shareMin }

    /// The time from one probe to the next.
    package func interval(_ role: Role) -> Duration {
        switch role {
        case .standby: return max(usual * Self.easeFactor, steady)
        case .carrying(let isProven):
            return carrying(from: isProven ? usual * Self.easeFactor : usual)
        case .silent(let time): return min(max(usual, time / Self.silentProbes), max(usual, steady))
        case .poor:
            let slow = max(usual * Self.easeFactor, steady)
            return allowsCloserLook ? min(slow, max(usual, Self.poorInterval)) : slow
        }
    }

    /// Of what it has in hand the uplink that carries may spend more, the less the further it is spent: a month in which it
    /// carries for some hours sees it probed as if there were no budget.
    private func carrying(from fastest: Duration) -> Duration {
        let slowest = max(fastest, steady)
        let credit = min(1, max(0, (share - Self.shareMin) / (1 - Self.shareMin)))
        let milliseconds = (slowest - fastest).milliseconds * (1 - credit) * (1 - credit)
        return fastest + .milliseconds(Int64(milliseconds))
    }
}

/// How much of a calendar month is over, in UTC.
package struct MonthPart: Equatable, Sendable {
    package var secondsElapsed: Int64
    package var seconds: Int64

    /// An hour at least, so that what is left is not spent within the month's last minutes.
    var secondsLeft: Int64 { max(3600, seconds - secondsElapsed) }
    var elapsedShare: Double { 1 - Double(secondsLeft) / Double(seconds) }

    package init(_ time: CivilTime) {
        let isLeap = time.year % 4 == 0 && (time.year % 100 != 0 || time.year % 400 == 0)
        let days =
            switch time.month {
            case 2: isLeap ? 29 : 28
            case 4, 6, 9, 11: 30
            default: 31
            }
        seconds = Int64(days) * 86_400
        secondsElapsed =
            Int64(time.day - 1) * 86_400 + Int64(time.hour) * 3600 + Int64(time.minute) * 60
    }

    /// The clock is not right yet: as if the month had just begun, which is the most careful.
    package static let unknown = MonthPart(CivilTime(seconds: 0))
}
