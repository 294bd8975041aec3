package import Base

/// Decides, from the edges and levels of a noisy wire, what may pass.
///
/// Every doubt closes at once; only a line that has been quiet at "on" for the whole debounce time, and
/// still reads "on" after it, opens.
///
///                         levelRead(on), `debounce` after the last edge
///        ┌──────────┐ ───────────────────────────────────────────────► ┌─────────┐
///     ┌─►│ settling │                                                  │ settled │ nothing, or the
///     │  └──────────┘ ◄──────────────────── edge ───────────────────── └─────────┘ uplinks alone,
///     │     │  ↺ edge: the quiet time begins anew                          │       when the time is up
///     │     │ levelRead(off), lineFailed      levelRead(off), lineFailed,  │
///     │     ▼                                 gateFailed                   │
///     │  ┌────────┐ ◄───────────────────────────────────────────────────── ┘
///     └──┤ closed │
///        └────────┘  levelRead(on): settling
package struct KeySwitch: Sendable {
    /// A level on the wire, before its meaning.
    package enum Level: String, Equatable, Sendable {
        case low, high
    }

    /// What the wires of the key read.
    package struct Levels: Equatable, Sendable {
        package var line: Level
        /// The second line of a key with three positions; nil: it has two.
        package var remoteLine: Level?

        package init(line: Level, remoteLine: Level? = nil) {
            self.line = line
            self.remoteLine = remoteLine
        }
    }

    /// Where the key is.
    package enum Position: String, Equatable, Sendable {
        /// Remote access is allowed.
        case on
        /// The middle one of three: online, without remote access.
        case online
        case off, unknown
    }

    /// Where a key can rest and something is open.
    private enum Rest {
        case online, on
    }

    /// What may pass, by the key.
    package enum Access: Int, Comparable, Sendable {
        case nothing
        /// The uplinks, if the key cuts them, too.
        case online
        /// These, and between VPN and LAN.
        case remote

        package static func < (one: Access, other: Access) -> Bool {
            one.rawValue < other.rawValue
        }
    }

    /// Why remote access is closed.
    package enum Reason: Equatable, Sendable {
        /// The line has not been read yet.
        case starting
        case keyIsOff
        /// Of three positions, it is at the one without remote access.
        case keyIsAtOnline
        /// Both lines of a key with three positions read as closed contacts, which no key does.
        case contradiction
        /// The line reads "on" but moved a moment ago.
        case keyMoved
        /// It has been open for as long as one turn of the key allows.
        case timeIsUp
        /// One turn allows it for some time, and since the start there has been none.
        case mustBeTurned
        /// Whether the key is on or off cannot be known.
        case lineFailed(LineFailure)
        /// The firewall did not take the order; an errno value.
        case gateFailed(code: Int32)
        /// Nobody watches the key any more.
        case stopped
    }

    /// What to do. Not an array: a cut may not wait for memory.
    package struct Orders: Equatable, Sendable {
        package enum Gate: Equatable, Sendable {
            /// Cut now, everything.
            case close
            /// Cut now between VPN and LAN; the uplinks stay open.
            case closeRemote
            /// From now on the lease of what `access` says may be refreshed.
            case open
        }
        package var gate: Gate?
        /// Read the level again at this time, whatever happens before.
        package var wakeUp: Instant?

        package static let none = Orders()
    }

    private enum State {
        case closed(Reason, until: Instant)
        case settling(Rest, quietSince: Instant)
        case settled(Rest, Access)
    }

    private let offLevel: Level
    private let debounce: Duration
    /// What stays open when the time for remote access is up.
    private let afterLimit: Access
    private var limit: TimeLimit
    private var state = State.closed(.starting, until: .boot)

    /// How long a gate that refused an order is left alone.
    package static let gateRetry = Duration.seconds(1)

    /// `limit`: for how long a turn of the key allows remote access; nil: while it is on.
    /// `cutsUplinks`: whether a key that is off cuts the uplinks, too; they then stay open when that time is up.
    package init(
        offLevel: Level, debounce: Duration, limit: Duration? = nil, cutsUplinks: Bool = false
    ) {
        self.offLevel = offLevel
        self.debounce = debounce
        self.limit = TimeLimit(length: limit, debounce: debounce)
        afterLimit = cutsUplinks ? .online : .nothing
    }

    package var access: Access {
        switch state {
        case .settled(_, let access): access
        case .closed, .settling: .nothing
        }
    }

    /// Whether remote access is open.
    package var isOpen: Bool { access == .remote }

    /// Why remote access is closed; nil while it is open.
    package var reason: Reason? {
        switch state {
        case .closed(let reason, _): reason
        case .settling: .keyMoved
        case .settled(.online, _): .keyIsAtOnline
        case .settled(.on, .remote): nil
        case .settled(.on, _): limit.reason
        }
    }

    /// When remote access ends by itself; nil: it does not, or is not open.
    package var ends: Instant? { isOpen ? limit.ends : nil }

    package var position: Position {
        switch state {
        case .settled(.on, _), .settling(.on, _): .on
        case .settled(.online, _), .settling(.online, _): .online
        case .closed(let reason, _):
            switch reason {
            case .keyIsOff: .off
            case .keyMoved, .gateFailed, .timeIsUp, .mustBeTurned: .on
            case .keyIsAtOnline: .online
            case .starting, .contradiction, .lineFailed, .stopped: .unknown
            }
        }
    }

    /// The line moved, in whatever direction: the first bounce cuts.
    package mutating func edge(at now: Instant) -> Orders {
        limit.moved(at: now)
        switch state {
        case .settled(let rest, let access):
            state = .settling(rest, quietSince: now)
            return Orders(gate: access > .nothing ? .close : nil, wakeUp: now + debounce)
        case .settling(let rest, _):
            state = .settling(rest, quietSince: now)
            return Orders(wakeUp: now + debounce)
        case .closed:
            // The level, read after each edge, says whether the key went on.
            return .none
        }
    }

    /// The level of a key with two positions was read, after an edge, a wake-up or just to be sure.
    package mutating func levelRead(_ level: Level, at now: Instant) -> Orders {
        linesRead(Levels(line: level), at: now)
    }

    /// The levels were read. A key with three positions closes one contact at "online" and the other at "remote".
    package mutating func linesRead(_ levels: Levels, at now: Instant) -> Orders {
        switch (levels.line != offLevel, levels.remoteLine.map { $0 != offLevel }) {
        case (false, nil), (false, false?):
            limit.away(at: now)
            return close(.keyIsOff)
        case (true, true?):
            limit.lost()
            return close(.contradiction)
        case (true, false?):
            limit.away(at: now)
            return seen(.online, at: now)
        case (true, nil), (false, true?):
            limit.moved(at: now)
            return seen(.on, at: now)
        }
    }

    private mutating func seen(_ rest: Rest, at now: Instant) -> Orders {
        switch state {
        case .settled(rest, .remote):
            return stayOpen(at: now)
        case .settled(rest, _):
            return .none
        case .settled(_, let access):
            // It was turned, and no edge was seen.
            state = .settling(rest, quietSince: now)
            return Orders(gate: access > .nothing ? .close : nil, wakeUp: now + debounce)
        case .closed(_, let until) where now < until:
            return Orders(wakeUp: until)
        case .settling(rest, let quietSince) where now - quietSince >= debounce:
            return settle(rest, at: now)
        case .settling(rest, let quietSince):
            return Orders(wakeUp: quietSince + debounce)
        case .closed, .settling:
            state = .settling(rest, quietSince: now)
            return Orders(wakeUp: now + debounce)
        }
    }

    /// The line has been quiet.
    private mutating func settle(_ rest: Rest, at now: Instant) -> Orders {
        guard rest == .on else {
            state = .settled(.online, .online)
            return Orders(gate: .open)
        }
        switch limit.begin(at: now) {
        case .unlimited:
            state = .settled(.on, .remote)
            return Orders(gate: .open)
        case .until(let end):
            state = .settled(.on, .remote)
            return Orders(gate: .open, wakeUp: end)
        case .over:
            state = .settled(.on, afterLimit)
            return Orders(gate: afterLimit > .nothing ? .open : nil)
        }
    }

    private mutating func stayOpen(at now: Instant) -> Orders {
        guard let end = limit.ends else { return .none }
        guard now >= end else { return Orders(wakeUp: end) }
        state = .settled(.on, afterLimit)
        return Orders(gate: afterLimit > .nothing ? .closeRemote : .close)
    }

    /// The line cannot be requested, waited for or read.
    package mutating func lineFailed(_ failure: LineFailure) -> Orders {
        limit.lost()
        return close(.lineFailed(failure))
    }

    /// The gate could not be opened or kept open; an errno value.
    package mutating func gateFailed(code: Int32, at now: Instant) -> Orders {
        let until = now + Self.gateRetry
        var orders = close(.gateFailed(code: code), until: until)
        orders.wakeUp = until
        return orders
    }

    /// The watch ends.
    package mutating func stopped() -> Orders {
        close(.stopped)
    }

    private mutating func close(_ reason: Reason, until: Instant = .boot) -> Orders {
        let wasOpen = access > .nothing
        state = .closed(reason, until: until)
        return Orders(gate: wasOpen ? .close : nil)
    }
}
