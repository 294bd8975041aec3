import Base
import Uplinks

/// The promises, checked after every event from outside the machines.
struct UplinkChecker {
    /// Unanswered probes that a burst ends with: the suspicious one and the burst.
    static let evidence = 12

    private let limits: UplinkMonitor.Limits
    /// Per uplink: probes sent since the last one that was not answered in time.
    private var runs = [0, 0, 0]
    private var isAnswered = [true, true, true]
    private var last: [UInt16?] = [nil, nil, nil]
    /// Per uplink: probes sent since its link was lost; an answer to an older one is nobody's.
    private var known: [Set<UInt16>] = [[], [], []]
    /// Per uplink: targets of the probes sent since anything was heard.
    private var silent: [[(sentAt: Instant, target: IPv4Address)]] = [[], [], []]
    private var standings = [UplinkMonitor.Standing](repeating: .untried, count: 3)
    private var hasVerdict = [false, false, false]
    private var everSelected = false
    /// Since when the carrying one is known dead, while others are up but not sure.
    private var deadSince: Instant?
    /// The longest time that a burst may take to make sure of another one.
    static let bound = Duration.seconds(3)

    init(limits: UplinkMonitor.Limits) {
        self.limits = limits
    }

    mutating func sent(
        _ uplink: Int, _ sequence: UInt16, _ target: IPv4Address, at now: Instant
    ) {
        // The one before it was not answered in time.
        if !isAnswered[uplink] { runs[uplink] = 0 }
        isAnswered[uplink] = false
        last[uplink] = sequence
        silent[uplink].append((now, target))
        known[uplink].insert(sequence)
    }

    mutating func answered(
        _ uplink: Int, _ sequence: UInt16, inTime: Bool, isSuspected: Bool, at now: Instant
    ) {
        guard known[uplink].contains(sequence) else { return }
        // An answer takes back a suspicion with all its probes. Otherwise one whose time is not up may still be lost, and
        // counts, although it was sent before this late answer came.
        let timeout = limits.timeout
        silent[uplink].removeAll { isSuspected || now - $0.sentAt >= timeout }
        // Of a burst that is over, several may be answered; they are no probes in a row.
        guard inTime, sequence == last[uplink] else { return }
        isAnswered[uplink] = true
        runs[uplink] += 1
    }

    mutating func linkLost(_ uplink: Int) {
        runs[uplink] = 0
        isAnswered[uplink] = true
        silent[uplink] = []
        known[uplink] = []
    }

    /// "An uplink that was down and is declared up has answered M probes in a row."
    mutating func declared(_ uplink: Int, _ standing: UplinkMonitor.Standing) throws(Violation) {
        defer { standings[uplink] = standing }
        try checkEvidence(uplink, standing)
        switch standing {
        case .up:
            if hasVerdict[uplink], runs[uplink] < limits.successes {
                throw Violation("uplink \(uplink) is up after \(runs[uplink]) answers in a row")
            }
            hasVerdict[uplink] = true
        case .down, .noLink:
            hasVerdict[uplink] = true
        case .untried, .doubtful, .recovering:
            break
        }
    }

    /// "Nothing is declared down while any of the last N probes, or of a burst over all targets, is answered."
    private func checkEvidence(_ uplink: Int, _ standing: UplinkMonitor.Standing)
        throws(Violation)
    {
        let isTrusted = [.up, .doubtful].contains(standings[uplink])
        guard standing == .down, isTrusted || standings[uplink] == .recovering else { return }
        let hasBurst = limits.burst && isTrusted
        let silent = silent[uplink]
        guard silent.count >= (hasBurst ? Self.evidence : limits.failures),
            !hasBurst || Set(silent.map(\.target)) == Set(limits.targets)
        else { throw Violation("uplink \(uplink) is down after \(silent.count) silent probes") }
    }

    /// "Never without a route after the first selection", also between two changes.
    mutating func checkRoute(_ weather: UplinkWeather) throws(Violation) {
        let routes = weather.kernel.mainRoutes
        if everSelected, routes.isEmpty { throw Violation("no default route") }
        if !routes.isEmpty { everSelected = true }
    }

    /// Others took the last route away: it comes back with the next link.
    mutating func routesTakenByOthers() {
        everSelected = false
    }

    mutating func check(_ weather: UplinkWeather) throws(Violation) {
        try checkRoute(weather)
        let standings = weather.monitors.map(\.standing)
        guard let carrying = weather.selector.carrying else {
            guard standings.allSatisfy({ $0 == .noLink }) else {
                throw Violation("nothing carries with \(standings)")
            }
            return
        }
        try checkChoice(weather, carrying, standings)
        // "Never two carrying uplinks", and the kernel's first choice is ours.
        let routes = weather.kernel.mainRoutes
        let ours = routes.filter(\.isOurs)
        guard ours.count <= 1 else { throw Violation("two carry: \(ours)") }
        guard standings[carrying] != .noLink else { return }
        guard let first = routes.first, first == ours.first,
            first.interfaceIndex == Int32(carrying + 2)
        else { throw Violation("\(carrying) shall carry, but the routes are \(routes)") }
    }

    /// "Never on a link known dead while another is known good for longer than the bound, and never on a worse one
    /// when a better one was good for its hold."
    private mutating func checkChoice(
        _ weather: UplinkWeather, _ carrying: Int, _ standings: [UplinkMonitor.Standing]
    ) throws(Violation) {
        let good = standings.indices.filter {
            standings[$0] == .up && !weather.monitors[$0].isSuspected
        }
        let isDead = [.down, .noLink, .recovering, .doubtful].contains(standings[carrying])
        if isDead, !good.isEmpty {
            throw Violation("\(carrying) carries, known dead, with \(standings)")
        }
        guard isDead, standings.contains(.up) else {
            deadSince = nil
            return try checkHold(weather, carrying, good)
        }
        let since = deadSince ?? weather.now
        deadSince = since
        guard weather.now - since <= Self.bound else {
            throw Violation("\(carrying) carries, known dead for \(weather.now - since)")
        }
    }

    private func checkHold(_ weather: UplinkWeather, _ carrying: Int, _ good: [Int])
        throws(Violation)
    {
        guard let best = good.first, best < carrying, !weather.monitors[carrying].isSuspected,
            weather.monitors[carrying].standing != .untried
        else { return }
        guard let until = weather.selector.heldUntil(best), until > weather.now - .seconds(1) else {
            throw Violation("\(carrying) carries, but \(best) was good for its hold")
        }
    }
}
