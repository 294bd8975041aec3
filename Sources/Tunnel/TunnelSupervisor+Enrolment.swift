package import Base

/// The credential of each session: when it is asked for, and when it is renewed.
///
/// A session that stands is not given up for its renewal: first comes the new credential, then the new session.
extension TunnelSupervisor {
    /// There is a new credential, which serves for so long.
    package mutating func enrolled(
        for life: Duration, at now: Instant, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        let renewAt = now + life * Double.random(in: limits.renewalShare, using: &random)
        switch (state, renewal) {
        case (.enrolling(let server, _), _):
            renewal = .due(at: renewAt)
            return release(server: server, at: now)
        case (.connected(let server, _, _), .awaited):
            hasFreshCredential = true
            renewal = .due(at: renewAt)
            let until = now + limits.connectMax
            state = .connecting(server: server, until: until, isMoving: true)
            return [.restartSession, .wakeUp(at: until)]
        case (.forbidden, _), (.resolving, _), (.starting, _), (.connecting, _), (.connected, _),
            (.backingOff, _), (.stopping, _):
            return []  // Race: nobody waits for it any more.
        }
    }

    /// There is no credential; the server may have said how long to leave it alone.
    package mutating func enrolFailed(
        retryAfter: Duration?, at now: Instant, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        switch (state, renewal) {
        case (.enrolling, _):
            patience = retryAfter
            state = .stopping(.backingOff)
            return [.stopChild]
        case (.connected, .awaited):
            return postponeRenewal(by: retryAfter, at: now, using: &random)
        case (.forbidden, _), (.resolving, _), (.starting, _), (.connecting, _), (.connected, _),
            (.backingOff, _), (.stopping, _):
            return []  // Race: nobody waits for it any more.
        }
    }

    mutating func enrol(server: IPv4Address, at now: Instant) -> [Effect] {
        let until = now + limits.enrolMax
        renewal = .none
        state = .enrolling(server: server, until: until)
        return [.enrol, .wakeUp(at: until)]
    }

    /// The time has come while a session stands.
    mutating func renewalTimer(
        at now: Instant, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        switch renewal {
        case .none:
            return []  // Race: set before it was connected.
        case .due(let time):
            guard now >= time else { return [.wakeUp(at: time)] }
            let until = now + limits.enrolMax
            renewal = .awaited(until: until)
            return [.enrol, .wakeUp(at: until)]
        case .awaited(let until):
            guard now >= until else { return [.wakeUp(at: until)] }
            return postponeRenewal(by: nil, at: now, using: &random)
        }
    }

    private mutating func postponeRenewal(
        by patience: Duration?, at now: Instant, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        let pause = limits.renewalPause * Double.random(in: 1...2, using: &random)
        let time = now + max(pause, patience ?? .zero)
        renewal = .due(at: time)
        return [.wakeUp(at: time)]
    }
}
