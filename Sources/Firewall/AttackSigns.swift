package import Base
package import Settings

/// Signs of an attack, told from what the kernel has counted (`docs/behaviour.md` §2.10): each begins once and ends
/// once, however its rate goes up and down.
///
///     quiet ── two looks in a row at the limit ──▶ active ── below half of it for `calm` ──▶ quiet
package struct AttackSigns: Sendable {
    package enum Measure: String, Hashable, CaseIterable, Sendable {
        /// Packets dropped in a second.
        case drops
        /// Connections begun in a second: all, and TCP's.
        case new, syn
        /// How full the kernel's table of connections is, in percent.
        case conntrack
    }

    /// Whose packets they are.
    package enum Zone: String, Hashable, CaseIterable, Sendable {
        case wan, lan, vpn
        /// A program on the router itself.
        case router
        /// No zone: another interface, IPv6, or what conntrack calls invalid.
        case unknown
    }

    package struct Sign: Hashable, Sendable {
        package var zone: Zone
        package var measure: Measure

        package init(_ zone: Zone, _ measure: Measure) {
            self.zone = zone
            self.measure = measure
        }
    }

    /// What the kernel has counted at one moment.
    package struct Look: Equatable, Sendable {
        package var counts: [Sign: UInt64]
        /// nil: it cannot be read.
        package var conntrackPercent: UInt64?

        package init(counts: [Sign: UInt64] = [:], conntrackPercent: UInt64? = nil) {
            self.counts = counts
            self.conntrackPercent = conntrackPercent
        }
    }

    /// A sign that has begun and not ended.
    package struct Active: Equatable, Sendable {
        package var sign: Sign
        package var since: Instant
        /// Lately and at most, in a second; of `conntrack` in percent.
        package var rate: UInt64
        package var peak: UInt64
        /// All that was counted since; of `conntrack` nothing.
        package var total: UInt64
        /// What it was when it began.
        package var limit: UInt64
    }

    /// Looks that come sooner than this after another one are no measurement.
    package static let lookMin: Duration = .milliseconds(900)
    /// How long a sign must be below half of its limit to be over, at first: the time doubles when it begins
    /// again within `flapping`, up to that, so that nobody can fill the event log.
    package static let calm: Duration = .seconds(10)
    package static let flapping: Duration = .seconds(600)

    private struct Course: Sendable {
        var loudSince: (at: Instant, total: UInt64)?
        var active: Active?
        var quietSince: Instant?
        var endedAt: Instant?
        var calm = AttackSigns.calm
    }

    private var courses: [Sign: Course] = [:]
    private var last: (look: Look, at: Instant)?

    package init() {}

    /// The signs that last, in a fixed order.
    package var active: [Active] {
        let zones = Zone.allCases
        let measures = Measure.allCases
        return zones.flatMap { zone in
            measures.compactMap { courses[Sign(zone, $0)]?.active }
        }
    }

    package mutating func handle(
        _ look: Look, limits: Settings.Firewall.Alarm, at now: Instant
    ) {
        guard let (before, at) = last else {
            last = (look, now)
            return
        }
        let elapsed = now - at
        guard elapsed >= Self.lookMin else { return }
        last = (look, now)
        for (sign, count) in look.counts {
            // A counter that has fallen was begun anew.
            let earlier = before.counts[sign] ?? count
            let more = count >= earlier ? count - earlier : count
            let rate = UInt64(Double(more) / elapsed.inSeconds)
            note(sign, rate, more, limits, now, begun: at)
        }
        if let percent = look.conntrackPercent {
            note(Sign(.router, .conntrack), percent, 0, limits, now, begun: at)
        }
    }

    private mutating func note(
        _ sign: Sign, _ rate: UInt64, _ more: UInt64, _ limits: Settings.Firewall.Alarm,
        _ now: Instant, begun: Instant
    ) {
        let limit = limits.limit(sign.measure)
        var course = courses[sign] ?? Course()
        defer { courses[sign] = course }
        guard limit > 0 else {
            course = Course()
            return
        }
        if var active = course.active {
            active.rate = rate
            active.peak = max(active.peak, rate)
            active.total += more
            course.active = active
            guard rate * 2 < limit else {
                course.quietSince = nil
                return
            }
            let since = course.quietSince ?? begun
            course.quietSince = since
            guard now - since >= course.calm else { return }
            course.active = nil
            course.quietSince = nil
            course.endedAt = now
        } else if rate >= limit {
            guard let loud = course.loudSince else {
                course.loudSince = (begun, more)
                return
            }
            let again = course.endedAt.map { now - $0 < Self.flapping } ?? false
            course.calm = again ? min(course.calm * 2, Self.flapping) : Self.calm
            course.active = Active(
                sign: sign, since: loud.at, rate: rate, peak: rate, total: loud.total + more,
                limit: limit)
            course.loudSince = nil
        } else {
            course.loudSince = nil
        }
    }
}

extension Settings.Firewall.Alarm {
    fileprivate func limit(_ measure: AttackSigns.Measure) -> UInt64 {
        switch measure {
        case .drops: UInt64(drops)
        case .new: UInt64(new)
        case .syn: UInt64(syn)
        case .conntrack: UInt64(conntrackPercent)
        }
    }
}
