// Which uplink carries.
//
//                        any link there
//            none ───────────────────────────▶ carrying(i) ──┐ choose again after every
//       (nothing can carry yet)                     ▲        │ change of what is known
//                                                   └────────┘
//
// An uplink that wants a login (§4.13) is not up here, although it answers. "Good" is up, not suspected, and not poor. "Ripe"
// is good for as long as its hold, which doubles with each failure.
// The choice, first match wins:
//   1. the carrying one, while it is untried (the optimistic start waits for its first probe)
//   2. the carrying one is up:
//      a. the most preferred good and ripe one, if that is better than the carrying one    (fail-back)
//      b. it is suspected: the carrying one, until the verdict; its traffic may put that off for long
//      c. it is poor: the most preferred good one                                     (planned switch)
//      d. the carrying one
//   3. it is not: the most preferred that is good and ripe, or good, or up and not suspected  (fallback)
//   4. somebody is up but suspected: the carrying one if it has a link, for the verdict comes soon; else that one
//   5. the carrying one, if it is recovering
//   6. the most preferred one that is recovering              (the first answer makes it usable)
//   7. the carrying one, if it answers but wants a login; else the most preferred such one
//   8. the carrying one, if it has a link at all              (the last route is never taken away)
//   9. the most preferred one that has a link
//  10. the carrying one, or still none
// There is no way back from carrying to none.
package import Base

/// Chooses the uplink that carries the default route; uplinks are numbered by preference, 0 first.
package struct UplinkSelector: Sendable {
    package typealias Standing = UplinkMonitor.Standing

    package enum Effect: Equatable, Sendable {
        case carry(Int)
    }

    /// How long an uplink that had failed must be good before it is preferred again.
    package struct Limits: Sendable {
        /// After one failure; it doubles with each further one.
        package var hold: Duration
        /// The longest hold; an uplink that was good for so long has its failures forgotten.
        package var holdMax: Duration

        package init(hold: Duration = .zero, holdMax: Duration = .zero) {
            self.hold = hold
            self.holdMax = max(hold, holdMax)
        }
    }

    private enum State: Sendable {
        case none
        case carrying(Int)
    }

    private struct Candidate: Sendable {
        var standing = Standing.noLink
        var isSuspected = false
        var isPoor = false
        /// What answers is a login page, as far as is known.
        var isCaptive = false
        /// Since when it answers and wants no login; nil: it does not.
        var goodSince: Instant?
        /// Recent ones.
        var failures = 0
        var isUp: Bool { standing == .up && !isCaptive }
        var isSure: Bool { isUp && !isSuspected }
        var isGood: Bool { isSure && !isPoor }
    }

    private let limits: Limits
    private var state = State.none
    private var candidates: [Candidate]
    /// How often the carrying uplink changed; the first choice is not a switch.
    package private(set) var switches = 0

    package init(uplinks: Int, limits: Limits = Limits()) {
        candidates = Array(repeating: Candidate(), count: uplinks)
        self.limits = limits
    }

    package var carrying: Int? {
        switch state {
        case .none: nil
        case .carrying(let uplink): uplink
        }
    }

    /// When a more preferred uplink will have been good for long enough; nil: none waits.
    package func heldUntil(_ uplink: Int) -> Instant? {
        let candidate = candidates[uplink]
        guard candidate.failures > 0, let since = candidate.goodSince else { return nil }
        // Bounded before it is shifted: holdMax is at most a day.
        let factor = Int64(1) << min(candidate.failures - 1, 20)
        let hold = min(limits.holdMax.nanoseconds, limits.hold.nanoseconds * factor)
        return since + .nanoseconds(hold)
    }

    /// When `timePassed` wants to be called next.
    package var nextWakeUp: Instant? {
        // Another one is chosen at once when it is down.
        guard let carrying, candidates[carrying].isUp else { return nil }
        return candidates.indices.filter { $0 < carrying && candidates[$0].isGood }
            .compactMap { heldUntil($0) }.min()
    }
}

extension UplinkSelector {
    /// All uplinks were looked at for the first time.
    ///
    /// `present` has our default route already, from an earlier life of the daemon: it keeps it, and better
    /// ones that did not have it must be good for as long as after a failure.
    package mutating func started(
        _ all: [Standing], present: Int? = nil, at now: Instant = .boot
    ) -> [Effect] {
        precondition(all.count == candidates.count)
        for (uplink, standing) in all.enumerated() { note(standing, of: uplink, at: now) }
        guard let present, all[present] != .noLink else { return choose(at: now) }
        for uplink in 0..<present { candidates[uplink].failures = 1 }
        state = .carrying(present)
        return [.carry(present)] + choose(at: now)
    }

    package mutating func standingChanged(
        _ uplink: Int, to standing: Standing, at now: Instant = .boot
    ) -> [Effect] {
        note(standing, of: uplink, at: now)
        return choose(at: now)
    }

    /// A silence of an uplink is being looked into, or no longer.
    package mutating func suspicionChanged(
        _ uplink: Int, to isSuspected: Bool, at now: Instant = .boot
    ) -> [Effect] {
        guard candidates[uplink].isSuspected != isSuspected else { return [] }
        candidates[uplink].isSuspected = isSuspected
        return choose(at: now)
    }

    /// An uplink that is up serves badly, or well again.
    package mutating func qualityChanged(
        _ uplink: Int, isPoor: Bool, at now: Instant = .boot
    ) -> [Effect] {
        candidates[uplink].isPoor = isPoor
        return choose(at: now)
    }

    /// An uplink wants a login before it leads anywhere, or no longer. That it came to is a failure.
    package mutating func captivityChanged(
        _ uplink: Int, isCaptive: Bool, at now: Instant = .boot
    ) -> [Effect] {
        guard candidates[uplink].isCaptive != isCaptive else { return [] }
        if isCaptive, candidates[uplink].standing == .up { failed(uplink, at: now) }
        candidates[uplink].isCaptive = isCaptive
        switch candidates[uplink].standing {
        case .up, .recovering: candidates[uplink].goodSince = isCaptive ? nil : now
        case .noLink, .untried, .doubtful, .down: break
        }
        return choose(at: now)
    }

    /// To be called at `nextWakeUp`; earlier calls do nothing.
    package mutating func timePassed(at now: Instant) -> [Effect] {
        guard let due = nextWakeUp, due <= now else { return [] }
        return choose(at: now)
    }

    private mutating func note(_ standing: Standing, of uplink: Int, at now: Instant) {
        let wasUp = candidates[uplink].isUp
        candidates[uplink].standing = standing
        switch standing {
        case .up, .recovering:
            guard !candidates[uplink].isCaptive else { return }
            candidates[uplink].goodSince = candidates[uplink].goodSince ?? now
        case .noLink, .down:
            if wasUp { failed(uplink, at: now) }
            candidates[uplink].goodSince = nil
        case .untried, .doubtful:
            candidates[uplink].goodSince = nil
        }
    }

    private mutating func failed(_ uplink: Int, at now: Instant) {
        if let since = candidates[uplink].goodSince, now - since >= limits.holdMax {
            candidates[uplink].failures = 0
        }
        candidates[uplink].failures += 1
    }

    private mutating func choose(at now: Instant) -> [Effect] {
        guard let best = choice(at: now) else { return [] }
        switch state {
        case .none:
            state = .carrying(best)
            return [.carry(best)]
        case .carrying(best):
            return []
        case .carrying:
            state = .carrying(best)
            switches += 1
            return [.carry(best)]
        }
    }

    private func isRipe(_ uplink: Int, at now: Instant) -> Bool {
        candidates[uplink].isGood && heldUntil(uplink).map { $0 <= now } ?? true
    }

    private func choice(at now: Instant) -> Int? {
        if let carrying, candidates[carrying].standing == .untried { return carrying }
        let ripe = candidates.indices.first { isRipe($0, at: now) }
        let good = candidates.firstIndex(where: \.isGood)
        if let carrying, candidates[carrying].isUp {
            if let ripe, ripe < carrying { return ripe }
            if candidates[carrying].isSuspected { return carrying }
            return candidates[carrying].isPoor ? good ?? carrying : carrying
        }
        if let sure = ripe ?? good ?? candidates.firstIndex(where: \.isSure) { return sure }
        if let up = candidates.firstIndex(where: \.isUp) {
            guard let carrying, candidates[carrying].standing != .noLink else { return up }
            return carrying
        }
        return unproven
    }

    /// Nobody is up, or those that are want a login.
    private var unproven: Int? {
        if let carrying, candidates[carrying].standing == .recovering { return carrying }
        if let recovering = candidates.firstIndex(where: { $0.standing == .recovering }) {
            return recovering
        }
        if let carrying, candidates[carrying].standing == .up { return carrying }
        if let captive = candidates.firstIndex(where: { $0.standing == .up }) { return captive }
        if let carrying, candidates[carrying].standing != .noLink { return carrying }
        return candidates.firstIndex { $0.standing != .noLink } ?? carrying
    }
}
