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

    /// Probes lost one after the other.
    private struct Losses: Sendable {
        var count = 0
        /// Without repetition, in the order of their first loss.
        var targets: [IPv4Address] = []

        func adding(_ target: IPv4Address) -> Losses {
            Losses(
                count: count + 1, targets: targets.contains(target) ? targets : targets + [target])
        }
    }

    private enum State: Sendable {
        case unseen
        case noLink
        case untried
        case doubtful(Losses)
        case up(Losses)
        case down
        case recovering(answers: Int, Losses)
    }

    private struct Pending: Sendable {
        var sequence: UInt16
        var target: IPv4Address
        var deadline: Instant
    }

    private let limits: Limits
    private var state = State.unseen
    private var pending: Pending?
    private var nextProbe = Instant.boot
    private var nextSequence: UInt16 = 0
    private var turn = 0
    /// Why the last probe could not even be sent.
    private var sendFailure: String?

    package private(set) var window = ProbeWindow()
    /// Why it stands as it does, in words.
    package private(set) var reason = "not looked at yet"
    /// When it was last declared up, or last ceased to be.
    package private(set) var since: Instant

    package init(limits: Limits, at now: Instant) {
        self.limits = limits
        since = now
    }

    package var standing: Standing {
        switch state {
        case .unseen, .noLink: .noLink
        case .untried: .untried
        case .doubtful: .doubtful
        case .up: .up
        case .down: .down
        case .recovering: .recovering
        }
    }

    /// When `timePassed` wants to be called next; nil while there is no link to probe.
    package var nextWakeUp: Instant? {
        switch state {
        case .unseen, .noLink: nil
        case .untried, .doubtful, .up, .down, .recovering:
            min(nextProbe, pending?.deadline ?? nextProbe)
        }
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
            nextProbe = now
            return enter(.down, "link is back, not probed yet", at: now)
        case .untried, .doubtful, .up, .down, .recovering:
            return []
        }
    }

    /// Nothing can pass: `reason` says what is missing.
    package mutating func linkLost(_ reason: String, at now: Instant) -> [Effect] {
        if let pending { window.withdrawn(pending.sequence) }
        pending = nil
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
        if let probe = pending, probe.deadline <= now {
            effects += lost(probe, at: now)
        }
        if nextProbe <= now {
            let target = limits.targets[turn]
            pending = Pending(
                sequence: nextSequence, target: target, deadline: now + limits.timeout)
            window.sent(nextSequence, to: target, at: now)
            effects.append(.sendProbe(sequence: nextSequence, target: target))
            nextSequence &+= 1
            // After a stall (suspended, starved) the missed probes are not made up for.
            nextProbe = max(nextProbe + limits.interval, now + limits.timeout)
            sendFailure = nil
        }
        return effects
    }

    /// The system refused to send a probe: it is lost already.
    package mutating func probeNotSent(_ sequence: UInt16, _ reason: String, at now: Instant)
        -> [Effect]
    {
        // Race: its link was lost meanwhile.
        guard let probe = pending, probe.sequence == sequence else { return [] }
        sendFailure = reason
        return lost(probe, at: now)
    }

    /// An echo reply came; it is told by its sequence and by who sent it whether it is ours.
    package mutating func probeAnswered(
        _ sequence: UInt16, from target: IPv4Address, at now: Instant
    ) -> [Effect] {
        guard window.answered(sequence, from: target, at: now) else { return [] }
        guard pending?.sequence == sequence else { return answeredLate(target, at: now) }
        pending = nil
        switch state {
        case .unseen, .noLink:
            return []  // Race: the link went away while the answer was on its way up.
        case .untried, .doubtful:
            return enter(.up(Losses()), "\(target) answered", at: now)
        case .up:
            state = .up(Losses())
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
        case .doubtful:
            return enter(.up(Losses()), "\(target) answered late", at: now)
        case .up:
            state = .up(Losses())
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
            return enter(.up(Losses()), "\(probes) answered", at: now)
        }
        return enter(
            .recovering(answers: answers, Losses()),
            "recovering: \(answers) of \(limits.successes) probes answered in a row", at: now)
    }

    private mutating func lost(_ probe: Pending, at now: Instant) -> [Effect] {
        pending = nil
        window.lost(probe.sequence)
        turn = (turn + 1) % limits.targets.count
        switch state {
        case .unseen, .noLink:
            preconditionFailure("a probe without a link")
        case .untried:
            return failed(Losses().adding(probe.target), or: { .doubtful($0) }, at: now)
        case .doubtful(let losses):
            return failed(losses.adding(probe.target), or: { .doubtful($0) }, at: now)
        case .up(let losses):
            return failed(losses.adding(probe.target), or: { .up($0) }, at: now)
        case .recovering(_, let losses):
            return failed(
                losses.adding(probe.target), or: { .recovering(answers: 0, $0) }, at: now)
        case .down:
            return []
        }
    }

    /// Down if these were enough losses, else the state that `milder` makes of them.
    private mutating func failed(
        _ losses: Losses, or milder: (Losses) -> State, at now: Instant
    ) -> [Effect] {
        let targets = losses.targets.map(\.description).joined(separator: ", ")
        var words = "\(losses.count) \(losses.count == 1 ? "probe" : "probes") lost to \(targets)"
        if let sendFailure { words += ": \(sendFailure)" }
        guard losses.count < limits.failures else { return enter(.down, words, at: now) }
        let next = milder(losses)
        if case .up = next {
            // Still up, for the same reason as before.
            state = next
            return []
        }
        return enter(next, words, at: now)
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
