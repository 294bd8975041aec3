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
        case declare(Standing, reason: String)
    }

    private struct Pending: Sendable {
        var sequence: UInt16
        var target: IPv4Address
        var sentAt: Instant
        var deadline: Instant
    }

    private let limits: Limits
    private var state = State.unseen
    /// The regular probe in flight.
    private var pending: Pending?
    private var nextProbe = Instant.boot
    private var nextSequence: UInt16 = 0
    private var turn = 0
    /// Why the last probe could not even be sent.
    private var sendFailure: String?
    private var roundTrip = RoundTripEstimate()

    package private(set) var window = ProbeWindow()
    /// Why it stands as it does, in words.
    package private(set) var reason = "not looked at yet"
    /// When it was last declared up, or last ceased to be.
    package private(set) var since: Instant
    /// How often a silence was looked into.
    package private(set) var bursts = 0
    /// When anything last came back over it, as far as we know: an answer, or a reply to the traffic it carries.
    package private(set) var heardAt: Instant?
    /// When replies to its traffic last came in.
    private var trafficHeardAt: Instant?
    /// No silence of traffic is looked into before: the last one was answered.
    private var trafficTrustedUntil = Instant.boot
    /// Probes go out this often until then, besides the regular ones, to measure its quality.
    private var regularProbes = 0
    private var assessmentTurn = 0
    private var assessment: (next: Instant, until: Instant)?

    package init(limits: Limits, at now: Instant) {
        self.limits = limits
        since = now
    }

    package var standing: Standing { state.standing }

    /// A silence is being looked into.
    package var isSuspected: Bool { state.suspicion != nil }

    /// When `timePassed` wants to be called next; nil while there is no link to probe.
    package var nextWakeUp: Instant? {
        switch state {
        case .unseen, .noLink: nil
        case .untried, .doubtful, .up, .down, .recovering:
            [
                nextProbe, pending?.deadline, suspectAt, state.suspicion?.nextWakeUp,
                assessment?.next,
            ].compactMap { $0 }.min()
        }
    }

    /// When the probe in flight becomes suspicious.
    private var suspectAt: Instant? {
        guard limits.burst, state.canBeSuspected, let pending else { return nil }
        return pending.sentAt + patience
    }

    private var patience: Duration { roundTrip.patience(atMost: limits.timeout) }
}

extension UplinkMonitor {
    /// There is a carrier, an address and a way out: probing begins at once.
    package mutating func linkFound(at now: Instant) -> [Effect] {
        switch state {
        case .unseen:
            nextProbe = now
            return enter(.untried, "not probed yet", at: now)
        case .noLink:
            nextProbe = now
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
            return enter(.unseen, reason, at: now)
        case .noLink:
            self.reason = reason
            return []
        case .untried, .doubtful, .up, .down, .recovering:
            return enter(.noLink, reason, at: now)
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
            effects += lost(probe, at: now)
        }
        effects += lookIntoSuspicion(at: now)
        effects += assess(at: now)
        if nextProbe <= now {
            effects += lookAround(at: now)
            let target = limits.targets[turn]
            pending = Pending(
                sequence: nextSequence, target: target, sentAt: now,
                deadline: now + limits.timeout)
            effects.append(send(to: target, at: now))
            // After a stall (suspended, starved) the missed probes are not made up for.
            nextProbe = max(nextProbe + limits.interval, now + limits.timeout)
        }
        return effects
    }

    private mutating func send(to target: IPv4Address, at now: Instant) -> Effect {
        defer { nextSequence &+= 1 }
        sendFailure = nil
        window.sent(nextSequence, to: target, at: now)
        return .sendProbe(sequence: nextSequence, target: target)
    }

    /// One regular probe in so many has another beside it, to a target that has no turn: a dead one is no failure,
    /// but somebody should know.
    static let lookAroundEvery = 10

    private mutating func lookAround(at now: Instant) -> [Effect] {
        regularProbes += 1
        guard standing == .up, limits.targets.count > 1,
            regularProbes.isMultiple(of: Self.lookAroundEvery)
        else { return [] }
        let others = limits.targets.count - 1
        let step = 1 + regularProbes / Self.lookAroundEvery % others
        return [send(to: limits.targets[(turn + step) % limits.targets.count], at: now)]
    }

    private mutating func handOver() {
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
        if state.suspicion != nil {
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
        switch state {
        case .unseen, .noLink:
            return []  // Race: the link went away while the answer was on its way up.
        case .untried, .doubtful:
            return enter(.up(Doubts()), "\(target) answered", at: now)
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
            let manner = doubts.suspicion == nil ? " late" : ""
            return enter(.up(Doubts()), "\(target) answered\(manner)", at: now)
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
            let probes = answers == 1 ? "a probe" : "\(answers) probes in a row"
            return enter(.up(Doubts()), "\(probes) answered", at: now)
        }
        return enter(
            .recovering(answers: answers, Losses()),
            "recovering: \(answers) of \(limits.successes) probes answered in a row", at: now)
    }

    private mutating func lost(_ probe: Pending, at now: Instant) -> [Effect] {
        pending = nil
        window.lost(probe.sequence)
        // A burst goes through the targets by itself.
        if state.suspicion == nil { handOver() }
        defer { suspect(probe, at: now) }
        switch state {
        case .unseen, .noLink:
            preconditionFailure("a probe without a link")
        case .untried:
            return failed(
                Losses().adding(probe.target, sentAt: probe.sentAt), or: { .doubtful(Doubts(losses: $0)) }, at: now)
        case .doubtful(let doubts):
            return failed(
                doubts.losses.adding(probe.target, sentAt: probe.sentAt),
                or: { .doubtful(Doubts(losses: $0, suspicion: doubts.suspicion)) }, at: now)
        case .up(let doubts):
            return failed(
                doubts.losses.adding(probe.target, sentAt: probe.sentAt),
                or: { .up(Doubts(losses: $0, suspicion: doubts.suspicion)) }, at: now)
        case .recovering(_, let losses):
            return failed(
                losses.adding(probe.target, sentAt: probe.sentAt),
                or: { .recovering(answers: 0, $0) }, at: now)
        case .down:
            return []
        }
    }

    /// Down if these were enough losses, else the state that `milder` makes of them.
    private mutating func failed(
        _ losses: Losses, or milder: (Losses) -> State, at now: Instant
    ) -> [Effect] {
        let words = explained(losses.words())
        if losses.count >= limits.failures, isSilentEnough(losses, at: now) {
            return enter(.down, words, at: now)
        }
        let next = milder(losses)
        if case .up = next {
            // Still up, for the same reason as before.
            state = next
            return []
        }
        return enter(next, words, at: now)
    }

    /// Losses that follow each other faster than a silence is believed are looked into by a burst first; and no
    /// losses count while replies to its traffic come in.
    private func isSilentEnough(_ losses: Losses, at now: Instant) -> Bool {
        guard limits.burst, state.canBeSuspected || state.suspicion != nil else { return true }
        let isLongEnough = losses.since.map { now - $0 >= limits.confirm } ?? false
        return isLongEnough && !carriesTraffic(at: now)
    }

    private func carriesTraffic(at now: Instant) -> Bool {
        trafficHeardAt.map { now - $0 < Self.trafficProof } ?? false
    }

    private func explained(_ words: String) -> String {
        sendFailure.map { "\(words): \($0)" } ?? words
    }

    /// Enters a state; an effect comes of it only when the standing changes.
    private mutating func enter(_ next: State, _ words: String, at now: Instant) -> [Effect] {
        let before = standing
        var isFirstLook = false
        if case .unseen = state { isFirstLook = true }
        state = next
        reason = words
        guard standing != before || isFirstLook else { return [] }
        if (standing == .up) != (before == .up) { since = now }
        return [.declare(standing, reason: words)]
    }
}

// Suspicion: what a burst of probes finds out.
extension UplinkMonitor {
    /// Starts a burst, unless one is under way.
    private mutating func suspect(_ probe: Pending, at now: Instant) {
        guard limits.burst, state.canBeSuspected else { return }
        state.suspicion = Suspicion(
            target: probe.target, sentAt: probe.sentAt, timeout: limits.timeout,
            confirm: limits.confirm, at: now)
        bursts += 1
    }

    /// So long after a reply to its traffic an uplink counts as alive, whatever became of its probes.
    static let trafficProof = Duration.milliseconds(500)
    /// After a silence of traffic that meant nothing, the next one is not looked into for this long, or an
    /// interval if that is shorter.
    static let trafficTrust = Duration.seconds(1)

    /// Replies came in, to what others sent over it.
    package mutating func trafficHeard(at now: Instant) {
        trafficHeardAt = now
        heardAt = now
    }

    /// Others send over it, and nothing has come back since a moment.
    package mutating func trafficSilent(since: Instant, at now: Instant) {
        guard limits.burst, state.canBeSuspected, trafficTrustedUntil <= now else { return }
        trafficTrustedUntil = now + min(limits.interval, Self.trafficTrust)
        state.suspicion = Suspicion(since: since, confirm: limits.confirm, at: now)
        bursts += 1
    }

    /// Another uplink may have to be replaced by this one: makes sure of it by a burst, which its first answer ends.
    package mutating func verify(at now: Instant) {
        guard limits.burst, standing == .up, state.canBeSuspected else { return }
        state.suspicion = Suspicion(since: now, confirm: limits.confirm, at: now)
    }

    /// Measures an uplink that is up more closely, until a moment.
    package mutating func assess(until end: Instant, at now: Instant) {
        guard standing == .up else { return }
        assessment = (assessment?.next ?? now, end)
    }

    /// The time between two probes of an assessment.
    static let assessmentSpacing = Duration.milliseconds(125)

    private mutating func assess(at now: Instant) -> [Effect] {
        guard let (next, end) = assessment, next <= now else { return [] }
        guard end > now, standing == .up else {
            assessment = nil
            return []
        }
        assessment = (now + Self.assessmentSpacing, end)
        assessmentTurn = (assessmentTurn + 1) % limits.targets.count
        return [send(to: limits.targets[assessmentTurn], at: now)]
    }

    /// The next probe of a burst, or the verdict after it.
    private mutating func lookIntoSuspicion(at now: Instant) -> [Effect] {
        guard var suspicion = state.suspicion else { return [] }
        if suspicion.isConfirmed(at: now), let trafficHeardAt, carriesTraffic(at: now) {
            suspicion.postpone(to: trafficHeardAt + Self.trafficProof)
            state.suspicion = suspicion
            return []
        }
        if suspicion.isConfirmed(at: now) {
            window.allPendingLost()
            return enter(.down, explained(suspicion.words(at: now)), at: now)
        }
        guard suspicion.isProbeDue(at: now) else { return [] }
        let target = limits.targets[turn]
        handOver()
        suspicion.probeSent(to: target, patience: patience, at: now)
        state.suspicion = suspicion
        return [send(to: target, at: now)]
    }

    /// Somebody answered: what else is in flight proves nothing more. A whole interval passes before the
    /// next probe, so before the next burst too: a line that loses much is not probed at the rate of bursts.
    private mutating func clearSuspicion(by target: IPv4Address, at now: Instant) {
        guard state.suspicion != nil else { return }
        pending = nil
        window.allPendingLost()
        nextProbe = now + limits.interval
        turn = limits.targets.firstIndex(of: target) ?? turn
    }
}
