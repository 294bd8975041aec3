// Which uplink carries.
//
//                        any link there
//            none ───────────────────────────▶ carrying(i) ──┐ choose again after every
//       (nothing can carry yet)                     ▲        │ change of a standing
//                                                   └────────┘
//
// The choice, first match wins:
//   1. the carrying one, while it is untried (the optimistic start waits for its first probe)
//   2. the most preferred one that is up                      (fallback, and fail-back)
//   3. none is up: the carrying one, if it is recovering
//   4. the most preferred one that is recovering              (the first answer makes it usable)
//   5. the carrying one, if it has a link at all              (the last route is never taken away)
//   6. the most preferred one that has a link
//   7. the carrying one, or still none
// There is no way back from carrying to none.

/// Chooses the uplink that carries the default route; uplinks are numbered by preference, 0 first.
package struct UplinkSelector: Sendable {
    package typealias Standing = UplinkMonitor.Standing

    package enum Effect: Equatable, Sendable {
        case carry(Int)
    }

    private enum State: Sendable {
        case none
        case carrying(Int)
    }

    private var state = State.none
    private var standings: [Standing]
    /// How often the carrying uplink changed; the first choice is not a switch.
    package private(set) var switches = 0

    package init(uplinks: Int) {
        standings = Array(repeating: .noLink, count: uplinks)
    }

    package var carrying: Int? {
        switch state {
        case .none: nil
        case .carrying(let uplink): uplink
        }
    }

    /// All uplinks were looked at for the first time.
    package mutating func started(_ all: [Standing]) -> [Effect] {
        precondition(all.count == standings.count)
        standings = all
        return choose()
    }

    package mutating func standingChanged(_ uplink: Int, to standing: Standing) -> [Effect] {
        standings[uplink] = standing
        return choose()
    }

    private mutating func choose() -> [Effect] {
        guard let best = choice else { return [] }
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

    private var choice: Int? {
        if let carrying, standings[carrying] == .untried { return carrying }
        if let up = standings.firstIndex(of: .up) { return up }
        if let carrying, standings[carrying] == .recovering { return carrying }
        if let recovering = standings.firstIndex(of: .recovering) { return recovering }
        if let carrying, standings[carrying] != .noLink { return carrying }
        return standings.firstIndex { $0 != .noLink } ?? carrying
    }
}
