package import Base

/// What the probes of a while say about a line.
package struct QualityMeasure: Equatable, Sendable {
    /// Probes that have ended, and the lost ones of them, to the target that loses least: one that answers only
    /// so many pings a second says nothing about the line.
    package var probes: Int
    package var lost: Int
    /// Lost to any target.
    package var lostOfAll: Int
    /// Median.
    package var roundTrip: Duration?

    package init(
        probes: Int = 0, lost: Int = 0, lostOfAll: Int = 0, roundTrip: Duration? = nil
    ) {
        self.probes = probes
        self.lost = lost
        self.lostOfAll = lostOfAll
        self.roundTrip = roundTrip
    }

    package var lossPercent: Double { probes == 0 ? 0 : 100 * Double(lost) / Double(probes) }
}

// One uplink's quality, while it is up.
//
//          a probe lost,          more than one lost          more than `loss` lost for sure,
//        or late answers            within 2 s                 or answers `latency` times as late
//    well ──────────────▶ glanced at ──────────▶ assessed ───────────────────────────────────────▶ poor
//     ▲                       │                     │         14 to 30 s after the sign, and another   │
//     ├───────────────────────┴──── neither ────────┘                               one is better      │
//     └────────── a third of `loss` at most, for as long as its hold ──────────────────────────────────┘

/// Tells lines that serve badly from those that serve well: a second verdict beside "down", slower and with
/// limits of its own for entering and leaving.
package struct QualityWatch: Sendable {
    package struct Limits: Sendable {
        /// In percent.
        package var loss: Int
        /// As a multiple of the usual time.
        package var latency: Int
        /// How long a poor line must be clean; doubles each time.
        package var clean: Duration
        package var cleanMax: Duration

        package init(
            loss: Int = 15, latency: Int = 5, clean: Duration = .seconds(60),
            cleanMax: Duration = .seconds(600)
        ) {
            self.loss = loss
            self.latency = latency
            self.clean = clean
            self.cleanMax = max(clean, cleanMax)
        }
    }

    package enum Effect: Equatable, Sendable {
        /// Measure one uplink more closely until then, each `every`.
        case assess(Int, until: Instant, every: Duration)
        case declare(Int, isPoor: Bool, reason: String)
    }

    /// Trouble must last so long after its first sign, which takes a probe or two.
    package static let troubleMin = Duration.seconds(12)
    /// An assessment's length, its first part, after which all uplinks are measured, and the part that is judged.
    static let assessment = Duration.seconds(30)
    static let glance = Duration.seconds(2)
    static let judged = Duration.seconds(20)
    /// Between two probes of the carrying uplink, and of others, meanwhile.
    package static let spacing = Duration.milliseconds(50)
    package static let spacingOfOthers = Duration.milliseconds(125)
    /// No further one for so long after a glance that found nothing.
    static let glancePause = Duration.seconds(10)
    /// And after a whole assessment that found nothing; doubles each time. A line is no worse for being looked at again, but
    /// bad luck has one more chance, and its probes may be paid for.
    static let pause = Duration.seconds(60)
    static let pauseMax = Duration.seconds(300)
    /// So many of the last twelve probes lost end a pause: it has become another line.
    static let lostMuch = 6
    static let lately = 12
    /// Fewer probes than this allow no verdict.
    static let probesMin = 40
    /// Nor do so few allow one that it is clean again.
    static let cleanProbesMin = 5
    /// Answers that are late by less than this are no trouble.
    static let delayMin = Duration.milliseconds(100)
    /// Standard deviations.
    static let sure = 4.0
    static let unlikely = 2.5

    private struct Line: Sendable {
        /// The usual time of an answer.
        var usual: Duration?
        var poorSince: Instant?
        /// Since when next to nothing is lost.
        var cleanSince = Instant.boot
        var timesPoor = 0
    }

    private let limits: Limits
    private var lines: [Line]
    /// The first sign of trouble, while it is looked into.
    private var troubleSince: Instant?
    private var isWide = false
    /// When the last look at it ended; signs before it are known.
    private var lookedAt = Instant.boot
    private var pausedUntil = Instant.boot
    private var pause = QualityWatch.pause
    private var foundNothingAt = Instant.boot
    private var carrying: Int?

    package init(uplinks: Int, limits: Limits) {
        lines = Array(repeating: Line(), count: uplinks)
        self.limits = limits
    }

    package func isPoor(_ uplink: Int) -> Bool { lines[uplink].poorSince != nil }

    /// One look, about once a second. `windows` and `isUp` are by uplink; a busy carrying line is not judged:
    /// its full queue is our own doing, and would move with the traffic.
    package mutating func look(
        _ windows: [ProbeWindow], isUp: [Bool], carrying: Int?, isBusy: Bool, at now: Instant
    ) -> [Effect] {
        for uplink in lines.indices where isUp[uplink] {
            learn(uplink, windows[uplink], at: now)
        }
        var effects = recovered(windows, isUp: isUp, at: now)
        if carrying != self.carrying {
            self.carrying = carrying
            troubleSince = nil
            pausedUntil = .boot
            pause = Self.pause
        }
        guard let carrying, isUp[carrying], !isPoor(carrying), !isBusy,
            isUp.indices.contains(where: { $0 != carrying && isUp[$0] })
        else {
            troubleSince = nil
            return effects
        }
        guard let since = troubleSince else {
            guard showsTrouble(carrying, windows[carrying], at: now) else { return effects }
            troubleSince = now
            isWide = false
            let end = now + Self.glance + .seconds(1)
            return effects + [.assess(carrying, until: end, every: Self.spacing)]
        }
        let begin = max(since, now - Self.judged)
        let own = windows[carrying].measure(from: begin, at: now)
        let isFine =
            isWide
            ? exceeds(own, -Self.unlikely, Double(limits.loss) / 100)
            : windows[carrying].lossShares(from: begin, parts: 1, at: now)[0] * 300
                <= Double(limits.loss)
        if now - since >= Self.glance, isFine,
            !isLate(own.roundTrip, 2, than: lines[carrying].usual)
        {
            if !isWide { pausedUntil = now + Self.glancePause } else { findNothing(at: now) }
            (troubleSince, lookedAt) = (nil, now)
            // What is under way ends by itself, within the second or at its next probe.
            return effects + [.assess(carrying, until: now, every: Self.spacing)]
        }
        if !isWide, now - since >= Self.glance {
            isWide = true
            for uplink in lines.indices where isUp[uplink] {
                let every = uplink == carrying ? Self.spacing : Self.spacingOfOthers
                effects.append(.assess(uplink, until: since + Self.assessment, every: every))
            }
        }
        if now - since >= Self.troubleMin,
            let reason = verdict(carrying, windows, isUp: isUp, from: begin, at: now)
        {
            troubleSince = nil
            lookedAt = now
            lines[carrying].poorSince = now
            lines[carrying].cleanSince = now
            lines[carrying].timesPoor += 1
            effects.append(.declare(carrying, isPoor: true, reason: reason))
        } else if now - since >= Self.assessment {
            (troubleSince, lookedAt) = (nil, now)
            findNothing(at: now)
        }
        return effects
    }

    private mutating func findNothing(at now: Instant) {
        // After a long time without, the next one is the first again.
        if now - foundNothingAt > Self.pauseMax * 2 { pause = Self.pause }
        foundNothingAt = now
        pausedUntil = now + pause
        pause = min(pause * 2, Self.pauseMax)
    }

    /// More is lost than a share by so many standard deviations; less, if that is negative.
    private func exceeds(_ measure: QualityMeasure, _ deviations: Double, _ share: Double) -> Bool {
        let expected = Double(measure.probes) * share
        let excess = Double(measure.lost) - expected
        guard excess.sign == deviations.sign else { return false }
        return excess * excess > deviations * deviations * expected * (1 - share)
    }

    private mutating func learn(_ uplink: Int, _ window: ProbeWindow, at now: Instant) {
        guard lines[uplink].poorSince == nil, troubleSince == nil else { return }
        let measure = window.measure(from: now - .seconds(60), at: now)
        guard let time = measure.roundTrip else { return }
        guard let usual = lines[uplink].usual else {
            lines[uplink].usual = time
            return
        }
        lines[uplink].usual =
            min(time, usual) + (max(time, usual) - min(time, usual)) / (time > usual ? 64 : 2)
    }

    private func isLate(_ time: Duration?, _ factor: Int, than usual: Duration?) -> Bool {
        guard let time, let usual else { return false }
        return time > usual * factor && time - usual > Self.delayMin
    }

    private func showsTrouble(_ uplink: Int, _ window: ProbeWindow, at now: Instant) -> Bool {
        let begin = max(lookedAt, now - .seconds(10))
        guard pausedUntil <= now else {
            let last = window.measure(
                from: max(lookedAt, now - .seconds(60)), last: Self.lately, at: now)
            return last.lost >= Self.lostMuch
        }
        return window.hasLoss(since: begin, at: now)
            || isLate(
                window.measure(from: begin, at: now).roundTrip, 2, than: lines[uplink].usual)
    }

    /// Why the carrying line is poor; nil if it is not, or no other is better by half.
    private func verdict(
        _ carrying: Int, _ windows: [ProbeWindow], isUp: [Bool], from begin: Instant,
        at now: Instant
    ) -> String? {
        let own = windows[carrying].measure(from: begin, at: now)
        let losesMuch = losesMuch(own, windows[carrying], from: begin, at: now)
        let isLate = isLate(own.roundTrip, limits.latency, than: lines[carrying].usual)
        guard own.probes >= Self.probesMin, losesMuch || isLate else { return nil }
        let isBeaten = lines.indices.contains { uplink in
            guard uplink != carrying, isUp[uplink], !isPoor(uplink) else { return false }
            let other = windows[uplink].measure(from: begin, at: now)
            guard other.probes >= Self.probesMin / 2, let time = other.roundTrip else {
                return false
            }
            if losesMuch { return other.lossPercent * 2 <= own.lossPercent }
            return own.roundTrip.map { time * 2 <= $0 } ?? true
                && other.lossPercent < Double(limits.loss)
        }
        guard isBeaten else { return nil }
        let seconds = Int((now - begin).inSeconds.rounded())
        if losesMuch {
            return "\(Int(own.lossPercent)) % of the probes lost over \(seconds) s"
        }
        let time = own.roundTrip.map { $0.nanoseconds / 1_000_000 } ?? 0
        let usual = lines[carrying].usual.map { $0.nanoseconds / 1_000_000 } ?? 0
        return "answers take \(time) ms over \(seconds) s, usually \(usual) ms"
    }

    /// More than the limit; that it is no line that loses but two thirds of it is sure; and it loses all the time, unlike one
    /// that stalls now and then, which has a time of its own to be believed dead.
    private func losesMuch(
        _ measure: QualityMeasure, _ window: ProbeWindow, from begin: Instant, at now: Instant
    ) -> Bool {
        guard measure.lossPercent > Double(limits.loss),
            exceeds(measure, Self.sure, Double(limits.loss) / 150)
        else { return false }
        return window.lossShares(from: begin, parts: 4, at: now).allSatisfy {
            $0 * 200 >= Double(limits.loss)
        }
    }

    private mutating func recovered(
        _ windows: [ProbeWindow], isUp: [Bool], at now: Instant
    ) -> [Effect] {
        var effects: [Effect] = []
        for uplink in lines.indices {
            guard isPoor(uplink) else { continue }
            let factor = Int64(1) << min(lines[uplink].timesPoor - 1, 10)
            let hold = min(
                limits.cleanMax, .nanoseconds(limits.clean.nanoseconds * factor))
            let lately = windows[uplink].measure(from: now - .seconds(10), at: now)
            if lately.lostOfAll >= 2 || isLate(lately.roundTrip, 2, than: lines[uplink].usual) {
                lines[uplink].cleanSince = now
            }
            var measure = windows[uplink].measure(from: now - min(hold, .seconds(60)), at: now)
            // Where probes are far apart, the last ones since it is clean: a loss of long ago says nothing.
            if measure.probes < Self.cleanProbesMin {
                measure = windows[uplink].measure(
                    from: lines[uplink].cleanSince, last: Self.lately, at: now)
            }
            let isClean =
                measure.probes >= Self.cleanProbesMin
                && measure.lossPercent * 3 <= Double(limits.loss)
            // Down is another verdict, which has a hold of its own.
            guard !isUp[uplink] || (isClean && now - lines[uplink].cleanSince >= hold) else {
                continue
            }
            lines[uplink].poorSince = nil
            effects.append(
                .declare(uplink, isPoor: false, reason: isUp[uplink] ? "clean again" : "down"))
        }
        return effects
    }
}
