package import Base

/// What others want, and what became of a name's lookup.
extension TunnelSupervisor {
    /// Remote access is allowed.
    package mutating func allowed(at now: Instant) -> [Effect] {
        switch state {
        case .forbidden:
            backoff.reset()
            return resolve(at: now)
        case .stopping(.forbidden):
            backoff.reset()
            state = .stopping(.resolving)
            return []
        case .resolving, .starting, .enrolling, .connecting, .connected, .backingOff, .stopping:
            return []
        }
    }

    /// Remote access is not allowed any more.
    package mutating func forbidden() -> [Effect] {
        switch state {
        case .forbidden, .resolving, .backingOff:
            state = .forbidden
            return []
        case .starting, .enrolling, .connecting, .connected:
            state = .stopping(.forbidden)
            return [.stopChild]
        case .stopping:
            state = .stopping(.forbidden)
            return []
        }
    }

    /// The router's way out is another one.
    package mutating func uplinkChanged(at now: Instant) -> [Effect] {
        switch state {
        case .forbidden, .stopping(.forbidden), .stopping(.resolving):
            return []
        case .resolving, .backingOff:
            backoff.reset()
            return resolve(at: now)
        case .starting:
            return []  // It has not sent anything yet.
        case .enrolling(let server, _):
            // The request may hang on the old uplink: asked again over the new one.
            backoff.reset()
            return enrol(server: server, at: now)
        case .connecting(let server, _, _), .connected(let server, _, _):
            backoff.reset()
            let until = now + limits.connectMax
            state = .connecting(server: server, until: until, isMoving: true)
            return [.restartSession, .wakeUp(at: until)]
        case .stopping(.backingOff):
            backoff.reset()
            state = .stopping(.resolving)
            return []
        }
    }

    package mutating func resolved(
        _ addresses: [IPv4Address], at now: Instant, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        switch state {
        // Backing off: an answer that came late is still an answer.
        case .resolving, .backingOff:
            guard !addresses.isEmpty else { return backOff(at: now, using: &random) }
            let server = addresses[backoff.failures % addresses.count]
            let until = now + limits.startMax
            state = .starting(server: server, until: until)
            // In this order: a start that fails at once is followed by a wake-up of its own.
            return [.wakeUp(at: until), .startChild(server)]
        case .forbidden, .starting, .enrolling, .connecting, .connected, .stopping:
            return []  // Race: the answer to a question that is settled.
        }
    }

    package mutating func resolveFailed(
        at now: Instant, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        switch state {
        case .resolving: backOff(at: now, using: &random)
        case .forbidden, .starting, .enrolling, .connecting, .connected, .backingOff, .stopping:
            []
        }
    }
}
