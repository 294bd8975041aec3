package import Base

// Whether an uplink leads to the internet, or only to a page that wants a login (a captive portal, RFC 8952).
//
//             came up                      free
//     idle ──────────▶ asking ─────────────────────────────▶ waiting (every)
//                        ▲  │ captive, the second in a row    │
//                        │  └──────────────────────▶ waiting (a twentieth of the time it has been so)
//                        └──────────────────── time ──────────┘
//
// One odd answer proves nothing, so it is asked again at once. No answer says nothing: it is asked again after a pause that
// doubles, meanwhile the probes judge alone, and what was known stays, until it has not been confirmed for so long that it
// may be true no more. Another network may be behind a link that was lost: its verdict goes with it.

/// Judges one uplink by what a server that is known to say one thing says over it.
package struct PortalWatch: Sendable {
    /// What became of a check.
    package enum Finding: Equatable, Sendable {
        /// The server itself answered.
        case free
        /// Something else answered in its name: what, or where to, in words.
        case captive(String)
        /// Nothing that can be judged.
        case unknown(String)
    }

    package enum Effect: Equatable, Sendable {
        /// The check with this number is due.
        case ask(Int)
        /// It wants a login, or no longer, and why.
        case declare(isCaptive: Bool, reason: String)
    }

    package struct Limits: Sendable {
        /// From one check to the next while all is well, and while nothing answers.
        package var every: Duration
        /// The longest time between two checks of one that wants a login.
        package var captiveMax: Duration

        package init(every: Duration, captiveMax: Duration) {
            self.every = every
            self.captiveMax = captiveMax
        }

        /// For lines that nobody counts the bytes of.
        package static let usual = Limits(every: .seconds(300), captiveMax: .seconds(60))
        /// For those with a budget: about 0.7 MB a month, and 0.1 MB for each login page.
        package static let metered = Limits(every: .seconds(3600), captiveMax: .seconds(3600))
    }

    /// From one check to the next of one that may have come to want a login, or has.
    package static let captiveMin = Duration.seconds(10)
    /// From a first odd answer to the check that confirms it.
    package static let confirmAfter = Duration.seconds(1)
    /// Odd answers in a row that are believed.
    package static let believed = 2
    /// So many checks without an answer, and what was known before may be true no more.
    package static let unknownsMax = 30

    private enum State: Sendable {
        /// It is not up, so there is nothing to ask.
        case idle
        case waiting(until: Instant)
        case asking
    }

    private let limits: Limits
    private var state = State.idle
    /// The number of the last check; an answer to an older one is nobody's.
    private var number = 0
    /// Odd answers in a row, up to `believed`.
    private var odd = 0
    /// Checks without an answer since the last one that had one.
    private var unknowns = 0
    private var captiveSince: Instant?
    /// What its login page is, in words; nil: it wants none, as far as is known.
    package private(set) var login: String?
    /// What the last check found.
    package private(set) var last: Finding?

    package init(limits: Limits = .usual) {
        self.limits = limits
    }

    package var isCaptive: Bool { captiveSince != nil }

    /// When `timePassed` wants to be called next.
    package var nextWakeUp: Instant? {
        switch state {
        case .idle, .asking: nil
        case .waiting(let until): until
        }
    }
}

extension PortalWatch {
    package mutating func standingChanged(
        to standing: UplinkMonitor.Standing, at now: Instant
    ) -> [Effect] {
        switch (standing, state) {
        case (.up, .idle):
            return ask()
        case (.up, .waiting), (.up, .asking):
            return []
        case (.noLink, _):
            return linkLost()
        case (.untried, _), (.doubtful, _), (.down, _), (.recovering, _):
            state = .idle
            return []
        }
    }

    /// It has another address or gateway: perhaps it is another network, too.
    package mutating func pathChanged(at now: Instant) {
        switch state {
        case .idle: break
        case .waiting, .asking: state = .waiting(until: now)
        }
    }

    /// To be called at `nextWakeUp`; earlier calls do nothing.
    package mutating func timePassed(at now: Instant) -> [Effect] {
        guard let due = nextWakeUp, due <= now else { return [] }
        return ask()
    }

    package mutating func answered(_ finding: Finding, to check: Int, at now: Instant) -> [Effect] {
        // Race: it went down meanwhile, or is asked anew.
        guard case .asking = state, check == number else { return [] }
        last = finding
        switch finding {
        case .free: return found(free: now)
        case .captive(let login): return found(login, at: now)
        case .unknown: return foundNothing(at: now)
        }
    }

    private mutating func ask() -> [Effect] {
        number += 1
        state = .asking
        return [.ask(number)]
    }

    private mutating func linkLost() -> [Effect] {
        state = .idle
        (odd, unknowns, last) = (0, 0, nil)
        return clear("its link was lost")
    }

    private mutating func found(free now: Instant) -> [Effect] {
        (odd, unknowns) = (0, 0)
        state = .waiting(until: now + limits.every)
        return clear("it wants no login any more")
    }

    private mutating func found(_ login: String, at now: Instant) -> [Effect] {
        odd = min(odd + 1, Self.believed)
        unknowns = 0
        if let since = captiveSince {
            self.login = login
            state = .waiting(until: now + pause(since, now))
            return []
        }
        guard odd >= Self.believed else {
            state = .waiting(until: now + Self.confirmAfter)
            return []
        }
        captiveSince = now
        self.login = login
        state = .waiting(until: now + Self.captiveMin)
        return [.declare(isCaptive: true, reason: login)]
    }

    private mutating func foundNothing(at now: Instant) -> [Effect] {
        unknowns = min(unknowns + 1, Self.unknownsMax)
        if unknowns >= Self.unknownsMax {
            odd = 0
            state = .waiting(until: now + limits.every)
            return clear("whether it still wants a login cannot be told")
        }
        let doubled = Self.captiveMin * (1 << min(unknowns - 1, 20))
        state = .waiting(
            until: now + (captiveSince.map { pause($0, now) } ?? min(doubled, limits.every)))
        return []
    }

    private mutating func clear(_ reason: String) -> [Effect] {
        login = nil
        guard captiveSince != nil else { return [] }
        captiveSince = nil
        return [.declare(isCaptive: false, reason: reason)]
    }

    /// A twentieth of the time that it has been so, within bounds: a login that is typed now is seen soon, one that
    /// nobody will ever type costs little.
    private func pause(_ since: Instant, _ now: Instant) -> Duration {
        min(limits.captiveMax, max(Self.captiveMin, (now - since) / 20))
    }
}
