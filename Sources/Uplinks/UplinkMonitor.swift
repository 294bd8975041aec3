package import Base

// The health of one uplink.
//
//                      linkFound                  N losses in a row
//          unseen ─────────────────▶ untried ─▶ doubtful ─────────────┐
//                                        │ 1 answer  │                 │
//                                        ▼           ▼                 ▼
//                               M      ┌─── up ◀─────┘    ┌────────▶ down
//                           ┌──────────▶  up ─────────────┘            │  ▲
//                           │  answers └─── N losses in a row          │  │ N losses in a row
//                           │  in a row                       1 answer ▼  │
//                           └────────────────────────────────── recovering
//                linkLost (from every state but unseen)
//     noLink ◀──────────────────
//        └────────────▶ down (linkFound: it must prove itself again)
//
// `recovering` has answered since it was down: it may carry when no uplink is up.
// A late answer proves life, but is not an answer in time: it ends a run of losses and counts for nothing more.
// Targets take turns: a lost probe hands over to the next one, so that a single dead target is no dead uplink.
//
// With `burst`, losses of an uplink that is up or doubtful have a short cut to down, for a silence is looked into at once:
//
//     trusted ── a probe is silent for longer ──▶ suspected ── all of a burst of probes ──▶ down
//        ▲          than usual, or lost;               │         over all targets lost,
//        │          or packets go out and none come in │         and no traffic comes in
//        └──────────────── any answer ─────────────────┘

/// Judges one uplink by echo probes and by the state of its link.
package struct UplinkMonitor: Sendable {
    /// How an uplink stands when it comes to choosing one.
    package enum Standing: String, Sendable {
        /// No carrier, no address, no interface: nothing can pass.
        case noLink
        /// Just started: no probe has come to an end.
        case untried
        /// Just started: only losses, too few for a verdict.
        case doubtful
        case up, down
        /// Down, but it answers again.
        case recovering
    }

    package enum Effect: Equatable, Sendable {
        case sendProbe(sequence: UInt16, target: IPv4Address)
        case declare(Standing, reason: Reason)
    }

    struct Pending: Sendable {
        var sequence: UInt16
        /// Its number among the targets.
        var target: Int
        var sentAt: Instant
        var deadline: Instant
    }

    let limits: Limits
    var state = State.unseen
    /// The regular probe in flight.
    var pending: Pending?
    var nextProbe = Instant.boot
    /// The time between two regular probes, if it is longer than the interval: a budget wants it.
    package var pace = Duration.zero
    /// When its link was found.
    package private(set) var linkedAt: Instant
    var nextSequence: UInt16 = 0
    var turn = 0
    /// Why the last probe could not even be sent.
    var sendFailure: String?
    var roundTrip = RoundTripEstimate() {
        didSet {
            patience = roundTrip.patience(atMost: limits.timeout)
            trafficPatience = max(Self.trafficPatienceMin, patience)
        }
    }
    /// An answer that takes longer is suspicious.
    private(set) var patience: Duration
    /// A silence of traffic is worth a look after this: when an answer to a probe would be overdue, too.
    package private(set) var trafficPatience: Duration

    package internal(set) var window = ProbeWindow()
    /// Why it stands as it does, in words.
    package var reason: String { why.words }
    private var why: Reason = "not looked at yet"
    /// When it was last declared up, or last ceased to be.
    package private(set) var since: Instant
    /// How often a silence was looked into.
    package internal(set) var bursts = 0
    /// When anything last came back over it, as far as we know: an answer, or a reply to the traffic it carries.
    package internal(set) var heardAt: Instant?
    /// When replies to its traffic last came in.
    var trafficHeardAt: Instant?
    /// No silence of traffic is looked into before: the last one was answered.
    var trafficTrustedUntil = Instant.boot
    var assessmentTurn = 0
    /// Regular probes answered in time, one after the other.
    var answersInARow = 0
    /// When the next probe that measures its quality goes out, besides the regular ones, until when, and how often.
    var assessment: (next: Instant, until: Instant, every: Duration)?

    package init(limits: Limits, at now: Instant) {
        self.limits = limits
        patience = limits.timeout
        trafficPatience = max(Self.trafficPatienceMin, patience)
        since = now
        linkedAt = now
    }

    package var standing: Standing { state.standing }

    /// A silence is being looked into.
    package var isSuspected: Bool { state.isSuspected }

    /// It is more than a single probe that is late, or a moment without traffic.
    package var isGravelySuspected: Bool { state.suspicion?.isGrave ?? false }

    /// Its quality is being measured.
    package var isAssessed: Bool { assessment != nil }

    /// When `timePassed` wants to be called next; nil while there is no link to probe.
    package var nextWakeUp: Instant? {
        switch state {
        case .unseen, .noLink: nil
        case .untried, .doubtful, .up, .down, .recovering:
            regularAt.orEarlier(pending?.deadline).orEarlier(suspectAt)
                .orEarlier(state.suspicion?.nextWakeUp).orEarlier(assessment?.next)
        }
    }

    /// When the probe in flight becomes suspicious.
    private var suspectAt: Instant? {
        guard limits.burst, state.canBeSuspected, let pending else { return nil }
        return pending.sentAt + patience
    }
}

extension UplinkMonitor {
    /// There is a carrier, an address and a way out: probing begins at once.
    package mutating func linkFound(at now: Instant) -> [Effect] {
        switch state {
        case .unseen:
            nextProbe = now
            return enter(.untried, "not probed yet", at: now)
        case .noLink:
            (nextProbe, pace, linkedAt) = (now, .zero, now)
            return enter(.down, "link is back, not probed yet", at: now)
        case .untried, .doubtful, .up, .down, .recovering:
            return []
        }
    }

    /// Nothing can pass: `reason` says what is missing.
    package mutating func linkLost(_ reason: String, at now: Instant) -> [Effect] {
        window.allPendingWithdrawn()
        pending = nil
        assessment = nil
        roundTrip = RoundTripEstimate()
        switch state {
        case .unseen where self.reason == reason:
            return []
        case .unseen:
            // A modem or a cable that comes late at the start has nothing to make good: it stays unseen.
            return enter(.unseen, .words(reason), at: now)
        case .noLink:
            why = .words(reason)
            return []
        case .untried, .doubtful, .up, .down, .recovering:
            return enter(.noLink, .words(reason), at: now)
        }
    }

    /// To be called at `nextWakeUp`; earlier calls do nothing.
    package mutating func timePassed(at now: Instant) -> [Effect] {
        guard let due = nextWakeUp, due <= now else { return [] }
        var effects: [Effect] = []
        if let probe = pending, let suspectAt, suspectAt <= now {
            handOver()
            suspect(probe, at: now)
        }
        if let probe = pending, probe.deadline <= now {
            effects = lost(probe, at: now)
        }
        if isSuspected { effects += lookIntoSuspicion(at: now) }
        if isAssessed { effects += assess(at: now) }
        if regularAt <= now {
            effects += lookAround(at: now)
            nextProbe = probeAfter(regularAt, at: now)
            pending = Pending(
                sequence: nextSequence, target: turn, sentAt: now,
                deadline: min(now + limits.timeout, nextProbe))
            effects.append(send(to: turn, at: now))
        }
        return effects
    }

    /// When the regular probe after one that was due at `due`, and goes out now, is due.
    ///
    /// By an eighth of the interval at a time, as far as the time-out lets it, it comes into step with whatever else is done each
    /// interval since boot: one wake-up serves all uplinks.
    private func probeAfter(_ due: Instant, at now: Instant) -> Instant {
        var next = due + limits.interval
        // A pace that is no multiple of the interval never comes into step.
        if stretch == .zero {
            let soonest = due + max(limits.interval - limits.interval / 8, limits.timeout)
            next = max(due.next(multipleOf: limits.interval), soonest)
        }
        // An answer has its time-out, but for what a wake-up is late by. After a stall (suspended, starved) the missed probes
        // are not made up for.
        let answerBy = now + limits.timeout
        return next >= answerBy - limits.timeout / 4 ? next : answerBy
    }

    mutating func send(to number: Int, at now: Instant) -> Effect {
        defer { nextSequence &+= 1 }
        sendFailure = nil
        let target = limits.targets[number]
        window.sent(nextSequence, to: target, at: now)
        return .sendProbe(sequence: nextSequence, target: target)
    }

    mutating func handOver() {
        turn = (turn + 1) % limits.targets.count
    }

    /// The system refused to send a probe: it is lost already.
    package mutating func probeNotSent(_ sequence: UInt16, _ reason: String, at now: Instant)
        -> [Effect]
    {
        if let probe = pending, probe.sequence == sequence {
            sendFailure = reason
            return lost(probe, at: now)
        }
        // One of a burst, whose end decides; or a race: its link was lost meanwhile.
        if isSuspected {
            sendFailure = reason
            window.lost(sequence)
        }
        return []
    }

    /// An echo reply came; it is told by its sequence and by who sent it whether it is ours.
    package mutating func probeAnswered(
        _ sequence: UInt16, from target: IPv4Address, at now: Instant
    ) -> [Effect] {
        guard let time = window.answered(sequence, from: target, at: now) else { return [] }
        roundTrip.add(min(time, limits.timeout))
        heardAt = now
        let isInTime = pending?.sequence == sequence
        clearSuspicion(by: target, at: now)
        guard isInTime else { return answeredLate(target, at: now) }
        pending = nil
        answersInARow += 1
        switch state {
        case .unseen, .noLink:
            return []  // Race: the link went away while the answer was on its way up.
        case .untried, .doubtful:
            return enter(.up(Doubts()), .answered(target), at: now)
        case .up:
            state = .up(Doubts())
            return []
        case .down:
            return recovered(answers: 1, at: now)
        case .recovering(let answers, _):
            return recovered(answers: answers + 1, at: now)
        }
    }

    private mutating func answeredLate(_ target: IPv4Address, at now: Instant) -> [Effect] {
        switch state {
        case .unseen, .noLink, .untried:
            return []
        case .doubtful(let doubts):
            return enter(
                .up(Doubts()), .answered(target, isLate: !doubts.hasSuspicion), at: now)
        case .up:
            state = .up(Doubts())
            return []
        case .down:
            return recovered(answers: 0, at: now)
        case .recovering(let answers, _):
            return recovered(answers: answers, at: now)
        }
    }

    private mutating func recovered(answers: Int, at now: Instant) -> [Effect] {
        if answers >= limits.successes {
            return enter(.up(Doubts()), .answeredInARow(answers), at: now)
        }
        return enter(
            .recovering(answers: answers, Losses()),
            .recovering(answers: answers, of: limits.successes), at: now)
    }

    private mutating func lost(_ probe: Pending, at now: Instant) -> [Effect] {
        pending = nil
        answersInARow = 0
        window.lost(probe.sequence)
        // A burst goes through the targets by itself.
        if !isSuspected { handOver() }
        defer { suspect(probe, at: now) }
        switch state {
        case .unseen, .noLink:
            preconditionFailure("a probe without a link")
        case .untried:
            return failed(
                Losses().adding(target: probe.target, sentAt: probe.sentAt),
                or: { .doubtful(Doubts(losses: $0)) }, at: now)
        case .doubtful(let doubts):
            return failed(
                doubts.losses.adding(target: probe.target, sentAt: probe.sentAt),
                or: { .doubtful(Doubts(losses: $0, suspicion: doubts.suspicion)) }, at: now)
        case .up(let doubts):
            return failed(
                doubts.losses.adding(target: probe.target, sentAt: probe.sentAt),
                or: { .up(Doubts(losses: $0, suspicion: doubts.suspicion)) }, at: now)
        case .recovering(_, let losses):
            return failed(
                losses.adding(target: probe.target, sentAt: probe.sentAt),
                or: { .recovering(answers: 0, $0) }, at: now)
        case .down:
            return []
        }
    }

    /// Down if these were enough losses, else the state that `milder` makes of them.
    private mutating func failed(
        _ losses: Losses, or milder: (Losses) -> State, at now: Instant
    ) -> [Effect] {
        if losses.count >= limits.failures, isSilentEnough(losses, at: now) {
            return enter(.down, reason(losses), at: now)
        }
        let next = milder(losses)
        if case .up = next {
            // Still up, for the same reason as before.
            state = next
            return []
        }
        return enter(next, reason(losses), at: now)
    }

    func reason(_ losses: Losses, within time: Duration? = nil) -> Reason {
        .lost(losses, to: limits.targets, within: time, sendFailure: sendFailure)
    }

    /// Enters a state; an effect comes of it only when the standing changes.
    mutating func enter(_ next: State, _ reason: Reason, at now: Instant) -> [Effect] {
        let before = standing
        var isFirstLook = false
        if case .unseen = state { isFirstLook = true }
        state = next
        why = reason
        guard standing != before || isFirstLook else { return [] }
        if (standing == .up) != (before == .up) { since = now }
        return [.declare(standing, reason: reason)]
    }
}
