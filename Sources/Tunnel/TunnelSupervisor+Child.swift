package import Base

/// What OpenVPN says and does, and what it fails to do in time.
extension TunnelSupervisor {
    /// OpenVPN waits for its release.
    package mutating func holdReported(at now: Instant) -> [Effect] {
        switch state {
        case .starting(let server, _):
            return enrols ? enrol(server: server, at: now) : release(server: server, at: now)
        case .connecting(let server, _, _):
            guard !enrols || hasFreshCredential else { return enrol(server: server, at: now) }
            hasFreshCredential = false
            return [.releaseHold]
        case .enrolling:
            return []  // Said twice.
        case .stopping:
            return []  // Race: it is being ended.
        case .connected, .forbidden, .resolving, .backingOff:
            // OpenVPN says RECONNECTING before it waits, and without a child nobody waits.
            return []
        }
    }

    package mutating func stateReported(_ report: SessionReport, at now: Instant) -> [Effect] {
        switch (state, report.state) {
        case (.connecting(let server, _, isMoving: false), .connected):
            state = .connected(server: server, address: report.address, since: now)
            if case .due(let time) = renewal { return [.wakeUp(at: max(time, now))] }
            return []
        case (.connecting(let server, let until, isMoving: true), .reconnecting):
            state = .connecting(server: server, until: until, isMoving: false)
            return []
        case (.connecting(_, _, isMoving: false), .reconnecting):
            // The attempt failed: another address or a later time may do better.
            state = .stopping(.backingOff)
            return [.stopChild]
        case (.connected(let server, _, let since), .reconnecting):
            // A session that broke is begun anew at once, and given up when that fails.
            forgetFailures(since: since, at: now)
            let until = now + limits.connectMax
            state = .connecting(server: server, until: until, isMoving: false)
            return [.wakeUp(at: until)]
        default:
            // Steps on the way; CONNECTED from before a restart that we asked for; last words.
            return []
        }
    }

    /// The child has ended, or could not be started.
    package mutating func childExited(
        at now: Instant, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        hasFreshCredential = false
        renewal = .none
        switch state {
        case .starting, .enrolling, .connecting, .stopping(.backingOff):
            return backOff(at: now, using: &random)
        case .connected(_, _, let since):
            forgetFailures(since: since, at: now)
            return backOff(at: now, using: &random)
        case .stopping(.forbidden):
            state = .forbidden
            return []
        case .stopping(.resolving):
            return resolve(at: now)
        case .forbidden, .resolving, .backingOff:
            preconditionFailure("a child ended that was never started")
        }
    }

    /// The time of the last `wakeUp` has come.
    package mutating func timer(at now: Instant, using random: inout some RandomNumberGenerator)
        -> [Effect]
    {
        switch state {
        case .resolving(let until):
            return now < until ? [.wakeUp(at: until)] : backOff(at: now, using: &random)
        case .backingOff(let until):
            return now < until ? [.wakeUp(at: until)] : resolve(at: now)
        case .starting(_, let until), .enrolling(_, let until), .connecting(_, let until, _):
            guard now >= until else { return [.wakeUp(at: until)] }
            state = .stopping(.backingOff)
            return [.stopChild]
        case .connected:
            return renewalTimer(at: now, using: &random)
        case .forbidden, .stopping:
            return []  // Race: set for a state that has passed.
        }
    }
}
