import Base
import Uplinks

/// The promises, checked after every event from outside the machines.
struct UplinkChecker {
    /// Unanswered probes that a burst ends with: the suspicious one and the burst.
    static let evidence = 12

    /// By uplink.
    private let limits: [UplinkMonitor.Limits]
    private var records: [UplinkRecord]
    private var everSelected = false
    /// Since when the carrying one is known dead, while others are up but not sure.
    private var deadSince: Instant?
    /// The longest time that a burst may take to make sure of another one.
    private let bound: Duration
    /// When a better one than the carrying one will have been good for its hold.
    private var failBackDue: Instant?
    static let failBackBound = Duration.seconds(1)

    /// So long after replies to its traffic no uplink is down.
    static let trafficProof = Duration.milliseconds(500)

    var logins = LoginChecker()

    init(limits: [UplinkMonitor.Limits]) {
        self.limits = limits
        records = limits.map { _ in UplinkRecord() }
        bound = max(.seconds(3), (limits.map(\.confirm).max() ?? .zero) + .seconds(1))
    }

    mutating func sent(
        _ uplink: Int, _ sequence: UInt16, _ target: IPv4Address, at now: Instant
    ) {
        records[uplink].sent(sequence, target, at: now)
    }

    mutating func answered(
        _ uplink: Int, _ sequence: UInt16, inTime: Bool, isSuspected: Bool, at now: Instant
    ) {
        // An answer takes back a suspicion with all its probes. Otherwise one whose time is not up may still be lost, and
        // counts, although it was sent before this late answer came.
        let excused = isSuspected ? now : now - limits[uplink].timeout
        records[uplink].answered(sequence, inTime: inTime, excused: excused)
    }

    mutating func started(_ standings: [UplinkMonitor.Standing]) {
        for (uplink, standing) in standings.enumerated() { records[uplink].standing = standing }
    }

    mutating func trafficHeard(_ uplink: Int, at now: Instant) {
        records[uplink].trafficHeard = now
    }

    mutating func linkLost(_ uplink: Int) {
        records[uplink].linkLost()
        logins.linkLost(uplink)
    }

    /// "An uplink that was down and is declared up has answered M probes in a row."
    mutating func declared(
        _ uplink: Int, _ standing: UplinkMonitor.Standing, at now: Instant
    ) throws(Violation) {
        defer { records[uplink].standing = standing }
        try checkEvidence(uplink, standing, at: now)
        switch standing {
        case .up:
            let run = records[uplink].run
            if records[uplink].hasVerdict, run < limits[uplink].successes {
                throw Violation("uplink \(uplink) is up after \(run) answers in a row")
            }
            records[uplink].hasVerdict = true
        case .down:
            records[uplink].hasVerdict = true
            records[uplink].isJustDown = true
        case .noLink:
            // One that never had a link has nothing to make good.
            if records[uplink].standing != .noLink { records[uplink].hasVerdict = true }
        case .untried, .doubtful, .recovering:
            break
        }
    }

    /// "Nothing is declared down while any of the last N probes, or of a burst over all targets, is answered."
    private func checkEvidence(
        _ uplink: Int, _ standing: UplinkMonitor.Standing, at now: Instant
    ) throws(Violation) {
        guard standing == .down else { return }
        let limits = limits[uplink]
        let before = records[uplink].standing
        let isTrusted = before == .up || before == .doubtful
        guard isTrusted || before == .recovering else { return }
        let hasBurst = limits.burst && isTrusted
        let silent = records[uplink].silent
        guard silent.count >= (hasBurst ? Self.evidence : limits.failures),
            !hasBurst || Set(silent.map(\.target)) == Set(limits.targets)
        else { throw Violation("uplink \(uplink) is down after \(silent.count) silent probes") }
        if hasBurst, let heard = records[uplink].trafficHeard, now - heard < Self.trafficProof {
            throw Violation("uplink \(uplink) is down, but its traffic is answered")
        }
    }

    /// "Never without a route after the first selection", also between two changes.
    mutating func checkRoute(_ kernel: KernelModel) throws(Violation) {
        let routes = kernel.mainRoutes
        if everSelected, routes.isEmpty { throw Violation("no default route") }
        if !routes.isEmpty { everSelected = true }
    }

    mutating func askedForLogin(_ uplink: Int, at now: Instant) {
        logins.asked(uplink, at: now)
    }

    mutating func loginAnswered(_ uplink: Int, _ answer: LoginAnswer) {
        logins.answered(uplink, answer)
    }

    /// Others took the last route away: it comes back with the next link.
    mutating func routesTakenByOthers() {
        everSelected = false
    }

    mutating func check(
        _ uplinks: [MonitorView], _ selector: UplinkSelector, _ kernel: KernelModel,
        isStale: Bool, at now: Instant
    ) throws(Violation) {
        if !isStale { try checkRoute(kernel) }
        // What was not right at the last check was so until now.
        if let since = deadSince, now - since > bound {
            throw Violation("known dead for \(now - since), another one carries now or is good")
        }
        if let due = failBackDue, now - due > Self.failBackBound {
            throw Violation("a better one was good for its hold \(now - due) ago")
        }
        failBackDue = nil
        guard let carrying = selector.carrying else {
            guard uplinks.allSatisfy({ $0.standing == .noLink }) else {
                throw Violation("nothing carries with \(uplinks)")
            }
            return
        }
        try logins.check(uplinks, at: now)
        try checkChoice(uplinks, selector, carrying, at: now)
        // What nobody told us of cannot be right yet.
        guard !isStale else { return }
        // "Never two carrying uplinks", and the kernel's first choice is ours.
        let routes = kernel.mainRoutes
        guard routes.count(where: \.isOurs) <= 1 else { throw Violation("two carry: \(routes)") }
        guard uplinks[carrying].standing != .noLink else { return }
        guard let first = routes.first, first.isOurs,
            first.interfaceIndex == kernel.index(carrying)
        else { throw Violation("\(carrying) shall carry, but the routes are \(routes)") }
    }

    /// "Never on a link known dead, or known to want a login, while another is known good for longer than the bound, and
    /// never on a worse one when a better one was good for its hold."
    private mutating func checkChoice(
        _ uplinks: [MonitorView], _ selector: UplinkSelector, _ carrying: Int, at now: Instant
    ) throws(Violation) {
        let isDead = uplinks[carrying].isDead
        if isDead, uplinks.contains(where: \.isSure) {
            throw Violation("\(carrying) carries, known dead, with \(uplinks)")
        }
        guard isDead, uplinks.contains(where: { $0.standing == .up && !$0.isCaptive }) else {
            deadSince = nil
            return try checkHold(uplinks, selector, carrying, at: now)
        }
        deadSince = deadSince ?? now
    }

    private mutating func checkHold(
        _ uplinks: [MonitorView], _ selector: UplinkSelector, _ carrying: Int, at now: Instant
    ) throws(Violation) {
        guard let best = uplinks[..<carrying].firstIndex(where: \.isGood),
            uplinks[carrying].standing != .untried
        else { return }
        failBackDue = selector.heldUntil(best)
        guard let failBackDue, now - failBackDue <= Self.failBackBound else {
            throw Violation("\(carrying) carries, but \(best) was good for its hold")
        }
    }
}
