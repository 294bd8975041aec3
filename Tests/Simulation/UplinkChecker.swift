import Base
import Uplinks

/// The promises, checked after every event from outside the machines.
struct UplinkChecker {
    private let limits: UplinkMonitor.Limits
    /// Per uplink: probes sent since the last one that was not answered in time.
    private var runs = [0, 0, 0]
    private var isAnswered = [true, true, true]
    private var hasVerdict = [false, false, false]
    private var everSelected = false

    init(limits: UplinkMonitor.Limits) {
        self.limits = limits
    }

    mutating func sent(_ uplink: Int) {
        // The one before it was not answered in time.
        if !isAnswered[uplink] { runs[uplink] = 0 }
        isAnswered[uplink] = false
    }

    mutating func answered(_ uplink: Int, inTime: Bool) {
        guard inTime else { return }
        isAnswered[uplink] = true
        runs[uplink] += 1
    }

    mutating func linkLost(_ uplink: Int) {
        runs[uplink] = 0
        isAnswered[uplink] = true
    }

    /// "An uplink that was down and is declared up has answered M probes in a row."
    mutating func declared(_ uplink: Int, _ standing: UplinkMonitor.Standing) throws(Violation) {
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
        // "Carrying is the most preferred up one whenever any is up."
        let best = standings.firstIndex(of: .up)
        if let best, carrying != best, standings[carrying] != .untried {
            throw Violation("\(carrying) carries with \(standings)")
        }
        // "Never two carrying uplinks", and the kernel's first choice is ours.
        let routes = weather.kernel.mainRoutes
        let ours = routes.filter(\.isOurs)
        guard ours.count <= 1 else { throw Violation("two carry: \(ours)") }
        guard standings[carrying] != .noLink else { return }
        guard let first = routes.first, first == ours.first,
            first.interfaceIndex == Int32(carrying + 2)
        else { throw Violation("\(carrying) shall carry, but the routes are \(routes)") }
    }
}
