package import Base

// Suspicion: what a burst of probes finds out.
extension UplinkMonitor {
    /// While replies to its traffic come in no losses count; and where a long silence is normal, they must be as long.
    func isSilentEnough(_ losses: Losses, at now: Instant) -> Bool {
        guard limits.burst, standing != .recovering else { return true }
        let isLongEnough =
            limits.confirm <= Self.confirmUsual
            || losses.since.map { now - $0 >= limits.confirm } ?? false
        return isLongEnough && !carriesTraffic(at: now)
    }

    /// Up to this, `failures` alone says how many losses are enough.
    static let confirmUsual = Duration.milliseconds(850)

    func carriesTraffic(at now: Instant) -> Bool {
        trafficHeardAt.map { now - $0 < trafficProof } ?? false
    }

    /// So many answers in a row, and another target that has no turn is asked beside the regular one: a dead target is
    /// no failure, but somebody should know. One that was silent is asked more often.
    static let lookAroundEvery = 30
    static let lookAgainEvery = 5

    mutating func lookAround(at now: Instant) -> [Effect] {
        guard answersInARow > 0, answersInARow.isMultiple(of: Self.lookAgainEvery),
            standing == .up, limits.targets.count > 1
        else { return [] }
        let isSilent = limits.targets.map { window.lossesInARow(of: $0, upTo: 1, at: now) > 0 }
        let every = isSilent.contains(true) ? Self.lookAgainEvery : Self.lookAroundEvery
        guard answersInARow.isMultiple(of: every) else { return [] }
        let others = limits.targets.indices.filter { $0 != turn }
        let step = answersInARow / every % others.count
        let next = others.first { isSilent[$0] } ?? others[step]
        return [send(to: next, at: now)]
    }

    /// Starts a burst, unless one is under way.
    mutating func suspect(_ probe: Pending, at now: Instant) {
        guard limits.burst, state.canBeSuspected else { return }
        state.suspicion = Suspicion(
            target: probe.target, sentAt: probe.sentAt, timeout: limits.timeout,
            confirm: limits.confirm, at: now)
        bursts += 1
    }

    /// So long after a reply to its traffic an uplink counts as alive, whatever became of its probes: no longer than any
    /// silence that is believed.
    var trafficProof: Duration { min(.milliseconds(500), limits.confirm) }
    static let trafficPatienceMin = Duration.milliseconds(100)
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
    package mutating func assess(
        until end: Instant, every spacing: Duration = .milliseconds(125), at now: Instant
    ) {
        guard standing == .up else { return }
        assessment = (assessment?.next ?? now, end, spacing)
    }

    mutating func assess(at now: Instant) -> [Effect] {
        guard let (next, end, spacing) = assessment, next <= now else { return [] }
        guard end > now, standing == .up else {
            assessment = nil
            return []
        }
        assessment = (max(next + spacing, now), end, spacing)
        assessmentTurn = (assessmentTurn + 1) % limits.targets.count
        return [send(to: assessmentTurn, at: now)]
    }

    /// The next probe of a burst, or the verdict after it.
    mutating func lookIntoSuspicion(at now: Instant) -> [Effect] {
        guard var suspicion = state.suspicion else { return [] }
        if suspicion.isConfirmed(at: now), let trafficHeardAt, carriesTraffic(at: now) {
            suspicion.postpone(to: trafficHeardAt + trafficProof)
            state.suspicion = suspicion
            return []
        }
        if suspicion.isConfirmed(at: now) {
            window.allPendingLost()
            let (losses, time) = suspicion.evidence(at: now)
            return enter(.down, reason(losses, within: time), at: now)
        }
        guard suspicion.isProbeDue(at: now) else { return [] }
        let target = turn
        handOver()
        suspicion.probeSent(to: target, patience: patience, at: now)
        state.suspicion = suspicion
        return [send(to: target, at: now)]
    }

    /// Somebody answered: what else is in flight proves nothing more. A whole interval passes before the
    /// next probe, so before the next burst too: a line that loses much is not probed at the rate of bursts.
    mutating func clearSuspicion(by target: IPv4Address, at now: Instant) {
        guard isSuspected else { return }
        pending = nil
        window.allPendingLost()
        nextProbe = now + limits.interval
        turn = limits.targets.firstIndex(of: target) ?? turn
    }
}
