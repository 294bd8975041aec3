import Base
import CLinux
import Glibc
import Linux
import Settings

/// The life of the switch's thread: wait, cut if need be, and only then look around.
struct SwitchLoop: ~Copyable {
    private typealias Limits = KillSwitchService.Limits

    private let settings: Settings.KeySwitch
    private let gate: any Gate
    private let board: SwitchBoard
    private let clock = SystemClock()

    private var key: KeySwitch
    private var line: GPIOLine?
    /// The second one of a key with three positions.
    private var remoteLine: GPIOLine?
    /// When to look at the line at the latest; at first at once.
    private var wakeUp: Instant? = .boot
    private var lineRetryAt = Instant.boot
    /// Whether the gate has yet to take the order to shut.
    private var closeIsDue = true
    private var closedAt = Instant.boot
    private var gateTrouble: SystemError?
    /// As it was read last; nil: it cannot be read.
    private var levels: KeySwitch.Levels?
    /// When an edge has just shut the open gate, by `CLOCK_MONOTONIC` in nanoseconds.
    private var cutAt: UInt64?
    private var shown = Shown(reason: nil, trouble: nil, levels: nil, access: .nothing)
    private var shownAt = Instant.boot
    private var descriptors = [pollfd](repeating: pollfd(fd: -1, events: 0, revents: 0), count: 3)

    private struct Shown: Equatable {
        var reason: KeySwitch.Reason?
        var trouble: SystemError?
        var levels: KeySwitch.Levels?
        var access: KeySwitch.Access
    }

    init(settings: Settings.KeySwitch, gate: any Gate, board: SwitchBoard) {
        self.settings = settings
        self.gate = gate
        self.board = board
        let offLevel: KeySwitch.Level =
            switch settings.offLevel {
            case .low: .low
            case .high: .high
            }
        key = KeySwitch(
            offLevel: offLevel, debounce: settings.debounce, limit: settings.limit,
            cutsUplinks: settings.disables == .wan)
    }

    mutating func run(until bell: Doorbell) {
        // First of all, whatever an earlier process may have left open.
        closeGate()
        let schedule = Self.favourThread()
        board.show(schedule: schedule, memoryIsLocked: clinux_lock_memory() == 0)
        descriptors[2] = pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0)
        while true {
            let lineEvents = wait()
            // The one order that nothing may delay.
            if lineEvents.any {
                let wasOpen = key.access > .nothing
                carryOut(key.edge(at: clock.now()))
                cutAt = wasOpen && !closeIsDue ? Self.monotonic() : nil
            }
            if descriptors[2].revents != 0 { break }
            look(lineEvents)
            let isStorm = lineEvents.any && key.access == .nothing
            keepGate()
            show()
            if isStorm { usleep(UInt32(Limits.stormPause.nanoseconds / 1000)) }
        }
        carryOut(key.stopped())
        closeGate()
        line = nil
        remoteLine = nil
        show()
    }

    /// What poll says about the lines.
    private struct LineEvents {
        var line: Int32 = 0
        var remoteLine: Int32 = 0

        var any: Bool { line | remoteLine != 0 }
    }

    /// Waits for an edge, the bell, a wake-up or the tick; returns what poll says about the lines.
    private mutating func wait() -> LineEvents {
        let now = clock.now()
        // In step with whatever else is done at whole seconds: what is due within half a tick is done with this one.
        var rest = now.next(multipleOf: Limits.tick) - now
        if let wakeUp { rest = min(rest, max(.zero, wakeUp - now)) }
        // Rounded up: a wake-up that comes too early would only be repeated.
        let milliseconds = Int32((rest.nanoseconds + 999_999) / 1_000_000)
        watchLines()
        guard poll(&descriptors, 3, milliseconds) > 0 else { return LineEvents() }
        return LineEvents(
            line: Int32(descriptors[0].revents), remoteLine: Int32(descriptors[1].revents))
    }

    private mutating func isEdgeWaiting() -> Bool {
        watchLines()
        return poll(&descriptors, 2, 0) > 0
    }

    private mutating func watchLines() {
        descriptors[0] = pollfd(fd: line?.eventDescriptor ?? -1, events: Int16(POLLIN), revents: 0)
        descriptors[1] = pollfd(
            fd: remoteLine?.eventDescriptor ?? -1, events: Int16(POLLIN), revents: 0)
    }

    /// Requests the lines if there are none, and reads their levels.
    private mutating func look(_ events: LineEvents) {
        do throws(LineFailure) {
            if line == nil {
                guard clock.now() >= lineRetryAt else { return }
                line = try GPIOLine(settings.line, settings)
                if let second = settings.remoteLine {
                    remoteLine = try Self.asRemote(try GPIOLine(second, settings))
                }
            }
            guard let first = try Self.read(line, events.line) else { return }
            let second = try Self.readRemote(remoteLine, events.remoteLine)
            noteCut(edgeAt: first.edgeAt ?? second?.edgeAt)
            let levels = KeySwitch.Levels(line: first.level, remoteLine: second?.level)
            self.levels = levels
            let now = clock.now()
            if wakeUp.map({ $0 <= now }) ?? false { wakeUp = nil }
            // This thread may have been held up: what moved meanwhile comes before what was read.
            if isEdgeWaiting() {
                carryOut(key.edge(at: now))
            } else {
                carryOut(key.linesRead(levels, at: now))
            }
        } catch {
            carryOut(key.lineFailed(error))
            line = nil
            remoteLine = nil
            levels = nil
            wakeUp = nil
            lineRetryAt = clock.now() + Limits.lineRetry - Limits.slack
        }
    }

    private static func read(_ line: borrowing GPIOLine?, _ events: Int32) throws(LineFailure)
        -> (level: KeySwitch.Level, edgeAt: UInt64?)?
    {
        // A chip that goes away shows as a hang-up here, or as ENODEV below.
        guard events & (POLLHUP | POLLERR | POLLNVAL) == 0 else {
            throw LineFailure(.waitForEdge, code: ENODEV)
        }
        switch line {
        case .some(let line):
            let edgeAt = events != 0 ? try line.drain() : nil
            return (try line.level(), edgeAt)
        case nil:
            return nil
        }
    }

    private static func readRemote(
        _ line: borrowing GPIOLine?, _ events: Int32
    ) throws(LineFailure) -> (level: KeySwitch.Level, edgeAt: UInt64?)? {
        do throws(LineFailure) {
            return try read(line, events)
        } catch {
            throw error.ofRemoteLine
        }
    }

    private static func asRemote(
        _ request: @autoclosure () throws(LineFailure) -> GPIOLine
    ) throws(LineFailure) -> GPIOLine {
        do throws(LineFailure) {
            return try request()
        } catch {
            throw error.ofRemoteLine
        }
    }

    /// Tells how long a cut took, from the kernel's stamp of the edge until the firewall had obeyed.
    private mutating func noteCut(edgeAt: UInt64?) {
        guard let cutAt else { return }
        self.cutAt = nil
        var latency: Duration?
        if let edgeAt, edgeAt <= cutAt, cutAt - edgeAt < Limits.latencyMax {
            latency = .nanoseconds(Int64(cutAt - edgeAt))
        }
        board.show(cut: SwitchStatus.Cut(at: clock.now(), latency: latency))
    }

    private static func monotonic() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Renews the lease of an open gate; repeats an order to shut that was refused, and every order to shut now and then:
    /// somebody may have loaded rules with an open gate in them.
    private mutating func keepGate() {
        if key.access > .nothing {
            do throws(SystemError) {
                try gate.refresh(remote: key.access == .remote)
                board.show(renewedAt: clock.now())
                gateTrouble = nil
            } catch {
                // Whatever happens now, the lease ends by itself.
                carryOut(key.gateFailed(code: error.code, at: clock.now()))
                gateTrouble = gateTrouble ?? error
            }
        } else if closeIsDue || isCloseRepeated() {
            closeGate()
        }
        if key.access == .online, isCloseRepeated() { closeRemote() }
    }

    private mutating func isCloseRepeated() -> Bool {
        let now = clock.now()
        guard now - closedAt >= Limits.closeAgain - Limits.slack else { return false }
        closedAt = now
        return true
    }

    private mutating func carryOut(_ orders: KeySwitch.Orders) {
        switch orders.gate {
        case .close: closeGate()
        case .closeRemote: closeRemote()
        case .open: closeIsDue = false  // `keepGate` opens it, in this same round.
        case nil: break
        }
        if let wakeUp = orders.wakeUp { self.wakeUp = wakeUp }
    }

    private mutating func closeGate() {
        do throws(SystemError) {
            try gate.close()
            closeIsDue = false
            gateTrouble = nil
        } catch {
            closeIsDue = true
            gateTrouble = error
        }
    }

    /// A refusal shuts everything; the uplinks then open again with the next renewal.
    private mutating func closeRemote() {
        do throws(SystemError) {
            try gate.closeRemote()
        } catch {
            closeGate()
        }
    }

    /// Shows what is new; while the gate stays shut, at most twice a tick, however the wire bounces.
    private mutating func show() {
        let news = Shown(
            reason: key.reason, trouble: gateTrouble, levels: levels, access: key.access)
        let now = clock.now()
        guard news != shown,
            key.reason == .stopped || news.access != shown.access
                || now - shownAt >= Limits.slack
        else { return }
        shown = news
        shownAt = now
        board.show(key, levels: levels, gateTrouble: gateTrouble, at: now)
    }

    private static func favourThread() -> SwitchStatus.Schedule {
        if clinux_realtime_thread(Limits.realTimePriority) == 0 { return .realTime }
        return clinux_nice_thread(-20) == 0 ? .favoured : .ordinary
    }
}
