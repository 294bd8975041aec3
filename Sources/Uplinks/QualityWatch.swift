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
//         2 of the last probes lost,              more than `loss` lost for sure,
//         or answers twice as late                or answers `latency` times as late
//    well ──────────────────────────▶ assessed ───────────────────────────────────▶ poor
//     ▲                                  │       for 20 s, and another one is better  │
//     ├──────────── neither ─────────────┘                                            │
//     └────────── a third of `loss` at most, for as long as its hold ─────────────────┘

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
        /// Measure all uplinks that are up more closely until then.
        case assess(until: Instant)
        case declare(Int, isPoor: Bool, reason: String)
    }

    /// Trouble must last so long after its first signs, which take a probe or two.
    static let troubleMin = Duration.seconds(18)
    /// An assessment's length, the part of it that is judged, and the pause after one that found nothing.
    static let assessment = Duration.seconds(30)
    static let judged = Duration.seconds(15)
    static let pause = Duration.seconds(60)
    /// Fewer probes than this allow no verdict.
    static let probesMin = 40
    /// Answers that are late by less than this are no trouble.
    static let delayMin = Duration.milliseconds(100)
    /// The last probes that are looked at for first signs of trouble.
    static let signs = 12

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
    private var troubleSince: Instant?
    private var pausedUntil = Instant.boot
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
        }
        guard let carrying, isUp[carrying], !isPoor(carrying), !isBusy, pausedUntil <= now,
            isUp.indices.contains(where: { $0 != carrying && isUp[$0] })
        else {
            troubleSince = nil
            return effects
        }
        guard let since = troubleSince else {
            if showsTrouble(carrying, windows[carrying], at: now) {
                troubleSince = now
                effects.append(.assess(until: now + Self.assessment))
            }
            return effects
        }
        if now - since >= Self.troubleMin,
            let reason = verdict(carrying, windows, isUp: isUp, at: now)
        {
            troubleSince = nil
            lines[carrying].poorSince = now
            lines[carrying].cleanSince = now
            lines[carrying].timesPoor += 1
            effects.append(.declare(carrying, isPoor: true, reason: reason))
        } else if now - since >= Self.assessment {
            troubleSince = nil
            pausedUntil = now + Self.pause
        }
        return effects
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
        let measure = window.measure(from: now - .seconds(60), last: Self.signs, at: now)
        return (measure.lostOfAll >= 2 && measure.lost >= 1)
            || isLate(
                window.measure(from: now - .seconds(10), at: now).roundTrip, 2,
                than: lines[uplink].usual)
    }

    /// Why the carrying line is poor; nil if it is not, or no other is better by half.
    private func verdict(
        _ carrying: Int, _ windows: [ProbeWindow], isUp: [Bool], at now: Instant
    ) -> String? {
        let own = windows[carrying].measure(from: now - Self.judged, at: now)
        let losesMuch = isSurelyAbove(own)
        let isLate = isLate(own.roundTrip, limits.latency, than: lines[carrying].usual)
        guard own.probes >= Self.probesMin, losesMuch || isLate else { return nil }
        let isBeaten = lines.indices.contains { uplink in
            guard uplink != carrying, isUp[uplink], !isPoor(uplink) else { return false }
            let other = windows[uplink].measure(from: now - Self.judged, at: now)
            guard other.probes >= Self.probesMin / 2, let time = other.roundTrip else {
                return false
            }
            if losesMuch { return other.lossPercent * 2 <= own.lossPercent }
            return own.roundTrip.map { time * 2 <= $0 } ?? true
                && other.lossPercent < Double(limits.loss)
        }
        guard isBeaten else { return nil }
        if losesMuch { return "\(Int(own.lossPercent)) % of the probes lost over 20 s" }
        let time = own.roundTrip.map { $0.nanoseconds / 1_000_000 } ?? 0
        let usual = lines[carrying].usual.map { $0.nanoseconds / 1_000_000 } ?? 0
        return "answers take \(time) ms over 20 s, usually \(usual) ms"
    }

    /// More than the limit by two and a half standard deviations: bad luck alone does it to one line in a hundred and fifty
    /// that loses just so much, and hardly ever to one that loses two thirds of it.
    private func isSurelyAbove(_ measure: QualityMeasure) -> Bool {
        let share = Double(limits.loss) / 100
        let expected = Double(measure.probes) * share
        let excess = Double(measure.lost) - expected
        return excess > 0 && excess * excess > 6.25 * expected * (1 - share)
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
            let measure = windows[uplink].measure(from: now - min(hold, .seconds(60)), at: now)
            let isClean = measure.probes >= 5 && measure.lossPercent * 3 <= Double(limits.loss)
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
