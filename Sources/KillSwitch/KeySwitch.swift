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

    /// Where the key is.
    package enum Position: String, Equatable, Sendable {
        case on, off, unknown
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
        case settling(quietSince: Instant)
        case settled(Access)
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
        case .settled(let access): access
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
        case .settled(.remote): nil
        case .settled: limit.reason
        }
    }

    /// When remote access ends by itself; nil: it does not, or is not open.
    package var ends: Instant? { isOpen ? limit.ends : nil }

    package var position: Position {
        switch state {
        case .settled, .settling: .on
        case .closed(let reason, _):
            switch reason {
            case .keyIsOff: .off
            case .keyMoved, .gateFailed, .timeIsUp, .mustBeTurned: .on
            case .starting, .lineFailed, .stopped: .unknown
            }
        }
    }

    /// The line moved, in whatever direction: the first bounce cuts.
    package mutating func edge(at now: Instant) -> Orders {
        limit.moved(at: now)
        switch state {
        case .settled(let access):
            state = .settling(quietSince: now)
            return Orders(gate: access > .nothing ? .close : nil, wakeUp: now + debounce)
        case .settling:
            state = .settling(quietSince: now)
            return Orders(wakeUp: now + debounce)
        case .closed:
            // The level, read after each edge, says whether the key went on.
            return .none
        }
    }

    /// The level was read, after an edge, a wake-up or just to be sure.
    package mutating func levelRead(_ level: Level, at now: Instant) -> Orders {
        guard level != offLevel else {
            limit.away(at: now)
            return close(.keyIsOff)
        }
        limit.moved(at: now)
        switch state {
        case .settled(.remote):
            return stayOpen(at: now)
        case .settled:
            return .none
        case .closed(_, let until) where now < until:
            return Orders(wakeUp: until)
        case .closed:
            state = .settling(quietSince: now)
            return Orders(wakeUp: now + debounce)
        case .settling(let quietSince) where now - quietSince >= debounce:
            return settle(at: now)
        case .settling(let quietSince):
            return Orders(wakeUp: quietSince + debounce)
        }
    }

    /// The line has been quiet at "on".
    private mutating func settle(at now: Instant) -> Orders {
        switch limit.begin(at: now) {
        case .unlimited:
            state = .settled(.remote)
            return Orders(gate: .open)
        case .until(let end):
            state = .settled(.remote)
            return Orders(gate: .open, wakeUp: end)
        case .over:
            state = .settled(afterLimit)
            return Orders(gate: afterLimit > .nothing ? .open : nil)
        }
    }

    private mutating func stayOpen(at now: Instant) -> Orders {
        guard let end = limit.ends else { return .none }
        guard now >= end else { return Orders(wakeUp: end) }
        state = .settled(afterLimit)
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

/// What could not be done with the line, without the words: those are made when there is time.
package struct LineFailure: Error, Equatable, Sendable {
    package enum Step: Equatable, Sendable {
        case openChip, findLine, requestLine, waitForEdge, readLevel, setLevel
    }
    package var step: Step
    /// The errno value.
    package var code: Int32
    /// Who holds the line, as far as the kernel says, when it is busy.
    package var holder: String?

    package init(_ step: Step, code: Int32, holder: String? = nil) {
        self.step = step
        self.code = code
        self.holder = holder
    }
}
