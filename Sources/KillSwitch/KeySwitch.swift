package import Base

/// Decides, from the edges and levels of a noisy wire, whether remote access is allowed.
///
/// Every doubt closes at once; only a line that has been quiet at "on" for the whole debounce time, and
/// still reads "on" after it, opens.
///
///                         levelRead(on), `debounce` after the last edge
///        ┌──────────┐ ───────────────────────────────────────────────► ┌──────┐
///     ┌─►│ settling │                                                  │ open │
///     │  └──────────┘ ◄──────────────────── edge ───────────────────── └──────┘
///     │     │  ↺ edge: the quiet time begins anew                          │
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

    /// Why remote access is closed.
    package enum Reason: Equatable, Sendable {
        /// The line has not been read yet.
        case starting
        case keyIsOff
        /// The line reads "on" but moved a moment ago.
        case keyMoved
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
            /// Cut now.
            case close
            /// From now on the lease may be refreshed.
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
        case open
    }

    private let offLevel: Level
    private let debounce: Duration
    private var state = State.closed(.starting, until: .boot)

    /// How long a gate that refused an order is left alone.
    package static let gateRetry = Duration.seconds(1)

    package init(offLevel: Level, debounce: Duration) {
        self.offLevel = offLevel
        self.debounce = debounce
    }

    package var isOpen: Bool {
        switch state {
        case .open: true
        case .closed, .settling: false
        }
    }

    /// Why it is closed; nil while it is open.
    package var reason: Reason? {
        switch state {
        case .closed(let reason, _): reason
        case .settling: .keyMoved
        case .open: nil
        }
    }

    package var position: Position {
        switch state {
        case .open, .settling, .closed(.keyMoved, _), .closed(.gateFailed, _): .on
        case .closed(.keyIsOff, _): .off
        case .closed(.starting, _), .closed(.lineFailed, _), .closed(.stopped, _): .unknown
        }
    }

    /// The line moved, in whatever direction: the first bounce cuts.
    package mutating func edge(at now: Instant) -> Orders {
        switch state {
        case .open:
            state = .settling(quietSince: now)
            return Orders(gate: .close, wakeUp: now + debounce)
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
        guard level != offLevel else { return close(.keyIsOff) }
        switch state {
        case .open:
            return .none
        case .closed(_, let until) where now < until:
            return Orders(wakeUp: until)
        case .closed:
            state = .settling(quietSince: now)
            return Orders(wakeUp: now + debounce)
        case .settling(let quietSince) where now - quietSince >= debounce:
            state = .open
            return Orders(gate: .open)
        case .settling(let quietSince):
            return Orders(wakeUp: quietSince + debounce)
        }
    }

    /// The line cannot be requested, waited for or read.
    package mutating func lineFailed(_ failure: LineFailure) -> Orders {
        close(.lineFailed(failure))
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
        let wasOpen = isOpen
        state = .closed(reason, until: until)
        return Orders(gate: wasOpen ? .close : nil)
    }
}

/// What could not be done with the line, without the words: those are made when there is time.
package struct LineFailure: Error, Equatable, Sendable {
    package enum Step: Equatable, Sendable {
        case openChip, findLine, requestLine, waitForEdge, readLevel
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
