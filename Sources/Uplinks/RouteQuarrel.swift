package import Base

/// Tells whether another program changes our default route again and again. It is put back each time (at the pace of
/// `ChangeBudget`), but only a person can make peace.
package struct RouteQuarrel: Sendable {
    /// So many times within `period`, while the way over the uplink stayed the same.
    package static let timesMin = 5
    package static let period = Duration.seconds(60)

    private var path: UplinkPath?
    private var moments: [Instant] = []
    private var isTold = false

    package init() {}

    /// The route over `path` is put in force; true: that is how a quarrel begins.
    package mutating func routePut(over path: UplinkPath?, at now: Instant) -> Bool {
        guard path != nil, path == self.path else {
            self = RouteQuarrel()
            self.path = path
            return false
        }
        moments.removeAll { now - $0 > Self.period }
        moments.append(now)
        defer { isTold = moments.count >= Self.timesMin }
        return moments.count >= Self.timesMin && !isTold
    }

    /// The kernel takes the routes away with the link: that is no quarrel.
    package mutating func linkLost() { self = RouteQuarrel() }

    /// In words; nil: there is peace.
    package func words(at now: Instant) -> String? {
        let times = moments.count { now - $0 <= Self.period }
        guard times >= Self.timesMin else { return nil }
        return "another program changes the default route again and again: "
            + "put back \(times) times within the last minute"
    }
}
