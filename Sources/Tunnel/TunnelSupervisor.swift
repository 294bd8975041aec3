package import Base

/// Decides when to look up the server, start OpenVPN, move its session, stop it and try again.
///
///              allowed             resolved             hold               CONNECTED
///  ┌───────────┐ ───► ┌───────────┐ ───► ┌──────────┐ ───► ┌────────────┐ ───► ┌───────────┐
///  │ forbidden │      │ resolving │      │ starting │      │ connecting │      │ connected │
///  └───────────┘      └───────────┘      └──────────┘      └────────────┘ ◄─── └───────────┘
///        ▲               ▲     │ failed     │   │ late  ▲  hold │ │ late,  RECONNECTING, │
///        │         timer │     ▼            │   │       │       ▼ │ failed uplinkChanged,│
///        │            ┌─────────────┐ ◄─────│───│   ┌───────────┐ │ enrolled again       │
///        │            │ backing off │ ◄─────┘   │   │ enrolling │ │                      │
///        │            └─────────────┘ ◄───┐     ▼   └───────────┘ ▼   childExited        │
///        │                    childExited └───────┬────────────────┐  (→ backing off) ◄──┘
///        └─────────────────────────────────────── │    stopping    │ ◄─── forbidden, with a child
///                             childExited         └────────────────┘
///
/// Where each session has a credential of its own (`enrols`), OpenVPN is released only once there is one that no
/// session has used: on the way from a hold to connecting lies `enrolling`, unless one is at hand.
/// There is never more than one child. `forbidden` leads to the state of that name from everywhere.
package struct TunnelSupervisor: Sendable {
    package enum Effect: Equatable, Sendable {
        /// Look up the server's name.
        case resolve
        /// Start OpenVPN towards this address.
        case startChild(IPv4Address)
        /// Have a new credential made for the next session; a request under way is forgotten.
        case enrol
        /// Let OpenVPN, which waits, connect, with the newest credential.
        case releaseHold
        /// Begin the session anew from within OpenVPN (SIGUSR1), over whatever uplink there is now.
        case restartSession
        /// End OpenVPN at once.
        case stopChild
        /// Call `timer` at this time; replaces the time given before.
        case wakeUp(at: Instant)
    }

    package enum Phase: String, Equatable, Sendable {
        case forbidden, resolving, starting, enrolling, connecting, connected, stopping
        case backingOff = "backing-off"
    }

    package struct Limits: Sendable {
        package var resolveMax = Duration.seconds(15)
        /// From the child's start until it waits for its release.
        package var startMax = Duration.seconds(5)
        package var enrolMax = Duration.seconds(20)
        package var connectMax = Duration.seconds(20)
        /// The first wait is this long or up to twice as long.
        package var backOffMin = Duration.milliseconds(500)
        package var backOffMax = Duration.seconds(60)
        /// A session that lasted so long was a good one: the next attempt comes soon.
        package var stableAfter = Duration.seconds(30)
        /// A credential is renewed at this share of its life, at random.
        package var renewalShare = 0.7...0.85
        /// After a renewal that failed, the next one comes after this time or up to twice as long.
        package var renewalPause = Duration.seconds(30)

        package init() {}
    }

    enum Next {
        case forbidden, resolving, backingOff
    }

    enum State {
        case forbidden
        case resolving(until: Instant)
        case starting(server: IPv4Address, until: Instant)
        /// OpenVPN waits for its release, and a new credential is awaited.
        case enrolling(server: IPv4Address, until: Instant)
        /// `isMoving`: we asked for a restart, and OpenVPN has not yet said that it restarts.
        case connecting(server: IPv4Address, until: Instant, isMoving: Bool)
        case connected(server: IPv4Address, address: IPv4Address?, since: Instant)
        case backingOff(until: Instant)
        case stopping(Next)
    }

    /// What becomes of the credential of the session that stands.
    enum Renewal {
        case none
        case due(at: Instant)
        case awaited(until: Instant)
    }

    let limits: Limits
    /// Whether each session has a credential of its own.
    let enrols: Bool
    var state = State.forbidden
    private var backoff: Backoff
    /// There is a credential that no session has used.
    var hasFreshCredential = false
    var renewal = Renewal.none
    /// The enrolment server asked to be left alone for so long.
    var patience: Duration?

    package init(enrols: Bool = false, limits: Limits = Limits()) {
        self.enrols = enrols
        self.limits = limits
        backoff = Backoff(shortest: limits.backOffMin, longest: limits.backOffMax)
    }

    package var phase: Phase {
        switch state {
        case .forbidden: .forbidden
        case .resolving: .resolving
        case .starting: .starting
        case .enrolling: .enrolling
        case .connecting: .connecting
        case .connected: .connected
        case .backingOff: .backingOff
        case .stopping: .stopping
        }
    }

    /// Whether there is, or is to be, a session.
    package var isAllowed: Bool {
        switch state {
        case .forbidden, .stopping(.forbidden): false
        case .resolving, .starting, .enrolling, .connecting, .connected, .backingOff, .stopping:
            true
        }
    }

    /// The server's address, while there is a session or an attempt at one.
    package var server: IPv4Address? {
        switch state {
        case .starting(let server, _), .enrolling(let server, _), .connecting(let server, _, _),
            .connected(let server, _, _):
            server
        case .forbidden, .resolving, .backingOff, .stopping: nil
        }
    }

    /// Our address within the VPN, while connected.
    package var address: IPv4Address? {
        switch state {
        case .connected(_, let address, _): address
        case .forbidden, .resolving, .starting, .enrolling, .connecting, .backingOff, .stopping:
            nil
        }
    }

    // MARK: wishes

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

    // MARK: the lookup

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

    // MARK: the child

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

    // MARK: time

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

    mutating func release(server: IPv4Address, at now: Instant) -> [Effect] {
        hasFreshCredential = false
        let until = now + limits.connectMax
        state = .connecting(server: server, until: until, isMoving: false)
        return [.releaseHold, .wakeUp(at: until)]
    }

    private mutating func resolve(at now: Instant) -> [Effect] {
        let until = now + limits.resolveMax
        state = .resolving(until: until)
        return [.resolve, .wakeUp(at: until)]
    }

    private mutating func backOff(
        at now: Instant, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        let until = now + max(backoff.failed(using: &random), patience ?? .zero)
        patience = nil
        state = .backingOff(until: until)
        return [.wakeUp(at: until)]
    }

    private mutating func forgetFailures(since: Instant, at now: Instant) {
        if now - since >= limits.stableAfter { backoff.reset() }
    }
}
