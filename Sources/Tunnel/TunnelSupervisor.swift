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
    var backoff: Backoff
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

    // MARK: steps that several events lead to

    mutating func release(server: IPv4Address, at now: Instant) -> [Effect] {
        hasFreshCredential = false
        let until = now + limits.connectMax
        state = .connecting(server: server, until: until, isMoving: false)
        return [.releaseHold, .wakeUp(at: until)]
    }

    mutating func resolve(at now: Instant) -> [Effect] {
        let until = now + limits.resolveMax
        state = .resolving(until: until)
        return [.resolve, .wakeUp(at: until)]
    }

    mutating func backOff(
        at now: Instant, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        let until = now + max(backoff.failed(using: &random), patience ?? .zero)
        patience = nil
        state = .backingOff(until: until)
        return [.wakeUp(at: until)]
    }

    mutating func forgetFailures(since: Instant, at now: Instant) {
        if now - since >= limits.stableAfter { backoff.reset() }
    }
}
