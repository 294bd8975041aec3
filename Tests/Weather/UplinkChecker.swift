import Base
import Uplinks

/// The promises, checked after every event from outside the machines.
struct UplinkChecker {
    /// Unanswered probes that a burst ends with: the suspicious one and the burst.
    static let evidence = 12

    /// By uplink.
    private let limits: [UplinkMonitor.Limits]
    /// Per uplink: probes sent since the last one that was not answered in time.
    private var runs = [0, 0, 0]
    private var isAnswered = [true, true, true]
    private var last: [UInt16?] = [nil, nil, nil]
    /// Per uplink: how many probes were sent since its link was lost; an answer to an older one is nobody's.
    private var known = [0, 0, 0]
    /// Per uplink: targets of the probes sent since anything was heard.
    private var silent: [[(sentAt: Instant, target: IPv4Address)]] = [[], [], []]
    private var standings = [UplinkMonitor.Standing](repeating: .untried, count: 3)
    private var hasVerdict = [false, false, false]
    /// Was declared down, and has answered nothing in time since.
    private var isJustDown = [false, false, false]
    private var everSelected = false
    /// Since when the carrying one is known dead, while others are up but not sure.
    private var deadSince: Instant?
    /// The longest time that a burst may take to make sure of another one.
    private let bound: Duration
    /// When a better one than the carrying one will have been good for its hold.
    private var failBackDue: Instant?
    static let failBackBound = Duration.seconds(1)

    /// Per uplink: when replies to its traffic came last.
    private var trafficHeard: [Instant?] = [nil, nil, nil]
    /// So long after it no uplink is down.
    static let trafficProof = Duration.milliseconds(500)

    var logins = LoginChecker()

    init(limits: [UplinkMonitor.Limits]) {
        self.limits = limits
        bound = max(.seconds(3), (limits.map(\.confirm).max() ?? .zero) + .seconds(1))
    }

    mutating func sent(
        _ uplink: Int, _ sequence: UInt16, _ target: IPv4Address, at now: Instant
    ) {
        // The one before it was not answered in time.
        if !isAnswered[uplink] { runs[uplink] = 0 }
        isAnswered[uplink] = false
        last[uplink] = sequence
        silent[uplink].append((now, target))
        known[uplink] += 1
    }

    mutating func answered(
        _ uplink: Int, _ sequence: UInt16, inTime: Bool, isSuspected: Bool, at now: Instant
    ) {
        // They are numbered one after the other.
        guard let newest = last[uplink], newest &- sequence < known[uplink] else { return }
        // An answer takes back a suspicion with all its probes. Otherwise one whose time is not up may still be lost, and
        // counts, although it was sent before this late answer came.
        let timeout = limits[uplink].timeout
        silent[uplink].removeAll { isSuspected || now - $0.sentAt >= timeout }
        // Of a burst that is over, several may be answered; they are no probes in a row, but the first one of them may be
        // a regular probe.
        guard inTime, sequence == last[uplink] || isJustDown[uplink] else { return }
        isJustDown[uplink] = false
        isAnswered[uplink] = true
        runs[uplink] += 1
    }

    mutating func started(_ standings: [UplinkMonitor.Standing]) {
        self.standings = standings
    }

    mutating func trafficHeard(_ uplink: Int, at now: Instant) {
        trafficHeard[uplink] = now
    }

    mutating func linkLost(_ uplink: Int) {
        runs[uplink] = 0
        isAnswered[uplink] = true
        silent[uplink] = []
        known[uplink] = 0
        logins.linkLost(uplink)
    }

    /// "An uplink that was down and is declared up has answered M probes in a row."
    mutating func declared(
        _ uplink: Int, _ standing: UplinkMonitor.Standing, at now: Instant
    ) throws(Violation) {
        defer { standings[uplink] = standing }
        try checkEvidence(uplink, standing, at: now)
        switch standing {
        case .up:
            if hasVerdict[uplink], runs[uplink] < limits[uplink].successes {
                throw Violation("uplink \(uplink) is up after \(runs[uplink]) answers in a row")
            }
            hasVerdict[uplink] = true
        case .down:
            hasVerdict[uplink] = true
            isJustDown[uplink] = true
        case .noLink:
            // One that never had a link has nothing to make good.
            if standings[uplink] != .noLink { hasVerdict[uplink] = true }
        case .untried, .doubtful, .recovering:
            break
        }
    }

    /// "Nothing is declared down while any of the last N probes, or of a burst over all targets, is answered."
    private func checkEvidence(
        _ uplink: Int, _ standing: UplinkMonitor.Standing, at now: Instant
    ) throws(Violation) {
        let limits = limits[uplink]
        let isTrusted = [.up, .doubtful].contains(standings[uplink])
        guard standing == .down, isTrusted || standings[uplink] == .recovering else { return }
        let hasBurst = limits.burst && isTrusted
        let silent = silent[uplink]
        guard silent.count >= (hasBurst ? Self.evidence : limits.failures),
            !hasBurst || Set(silent.map(\.target)) == Set(limits.targets)
        else { throw Violation("uplink \(uplink) is down after \(silent.count) silent probes") }
        if hasBurst, let heard = trafficHeard[uplink], now - heard < Self.trafficProof {
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
        let standings = uplinks.map(\.standing)
        guard let carrying = selector.carrying else {
            guard standings.allSatisfy({ $0 == .noLink }) else {
                throw Violation("nothing carries with \(standings)")
            }
            return
        }
        try logins.check(uplinks, at: now)
        try checkChoice(uplinks, selector, carrying, standings, at: now)
        // What nobody told us of cannot be right yet.
        guard !isStale else { return }
        // "Never two carrying uplinks", and the kernel's first choice is ours.
        let routes = kernel.mainRoutes
        let ours = routes.filter(\.isOurs)
        guard ours.count <= 1 else { throw Violation("two carry: \(ours)") }
        guard standings[carrying] != .noLink else { return }
        guard let first = routes.first, first == ours.first,
            first.interfaceIndex == kernel.index(carrying)
        else { throw Violation("\(carrying) shall carry, but the routes are \(routes)") }
    }

    /// "Never on a link known dead, or known to want a login, while another is known good for longer than the bound, and
    /// never on a worse one when a better one was good for its hold."
    private mutating func checkChoice(
        _ uplinks: [MonitorView], _ selector: UplinkSelector, _ carrying: Int,
        _ standings: [UplinkMonitor.Standing], at now: Instant
    ) throws(Violation) {
        let sure = standings.indices.filter {
            standings[$0] == .up && !uplinks[$0].isSuspected && !logins.isCaptive[$0]
        }
        let good = sure.filter { !uplinks[$0].isPoor }
        let isDead =
            [.down, .noLink, .recovering, .doubtful].contains(standings[carrying])
            || standings[carrying] == .up && logins.isCaptive[carrying]
        if isDead, !sure.isEmpty {
            throw Violation("\(carrying) carries, known dead, with \(standings)")
        }
        let isAnyUp = standings.indices.contains {
            standings[$0] == .up && !logins.isCaptive[$0]
        }
        guard isDead, isAnyUp else {
            deadSince = nil
            return try checkHold(uplinks, selector, carrying, good, at: now)
        }
        deadSince = deadSince ?? now
    }

    private mutating func checkHold(
        _ uplinks: [MonitorView], _ selector: UplinkSelector, _ carrying: Int, _ good: [Int],
        at now: Instant
    ) throws(Violation) {
        guard let best = good.first, best < carrying, !uplinks[carrying].isSuspected,
            uplinks[carrying].standing != .untried
        else { return }
        failBackDue = selector.heldUntil(best)
        guard let failBackDue, now - failBackDue <= Self.failBackBound else {
            throw Violation("\(carrying) carries, but \(best) was good for its hold")
        }
    }
}
