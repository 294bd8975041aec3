import Base
import Settings

// When the loop has something to do without being told.
extension UplinksService {
    /// When to look at the traffic again: by what the carrying uplink's says, and by how quick its probes are.
    func nextLook() -> Instant {
        let now = clock.now()
        guard let carrying = selector.carrying, !isLookedInto else {
            return now.next(multipleOf: TrafficWatch.period)
        }
        let uplink = uplinks[carrying]
        let interval = max(uplink.settings.keepAlive.interval, uplink.monitor.pace)
        // Probes that come as often begin a suspicion as soon; what went on before it is known less exactly.
        if interval <= TrafficWatch.period { return now.next(multipleOf: TrafficWatch.restPeriod) }
        if areProbesFast { return now.next(multipleOf: TrafficWatch.period) }
        return uplinks[carrying].traffic.nextLook(
            after: now, isProbedOften: interval <= .seconds(1))
    }

    /// How long what is due may wait for the next look at the traffic, so that both need one wake-up.
    private var slack: Duration { isLookedInto || areProbesFast ? .zero : TrafficWatch.period }

    /// Somebody wants an uplink to be asked more than once a second.
    private var areProbesFast: Bool {
        uplinks.contains { $0.settings.keepAlive.interval < .seconds(1) }
    }

    /// The moment to wake for; nil: the next look at the traffic comes soon enough.
    func wakeUp(before look: Instant?) -> Instant? {
        guard let due = nextWakeUp else { return nil }
        if let look, look > clock.now(), look <= due + slack { return nil }
        return due
    }

    /// A silence is looked into, or a line measured.
    private var isLookedInto: Bool {
        uplinks.contains { $0.monitor.isSuspected || $0.monitor.isAssessed }
    }

    private var nextWakeUp: Instant? {
        (uplinks.map(\.monitor.nextWakeUp)
            + [
                portals.lazy.compactMap { $0?.nextWakeUp }.min(), nextCheck, retryAt,
                selector.nextWakeUp,
                settledOn == selector.carrying ? chores.nextWakeUp : nil,
                failover.quality && hasStarted ? qualityAt : nil,
            ]).compactMap { $0 }.min()
    }
}
