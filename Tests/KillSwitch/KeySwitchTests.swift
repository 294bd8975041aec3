import Base
import TestSupport
import Testing

@testable import KillSwitch

@Suite("key switch: the decision")
struct KeySwitchTests {
    private typealias Orders = KeySwitch.Orders

    private static let debounce = Duration.milliseconds(50)
    private let eio = LineFailure(.readLevel, code: 5)

    private func at(_ milliseconds: Int64) -> Instant {
        Instant(nanoseconds: milliseconds * 1_000_000)
    }

    private func opened() -> KeySwitch {
        var key = KeySwitch(offLevel: .low, debounce: Self.debounce)
        _ = key.levelRead(.high, at: at(0))
        _ = key.levelRead(.high, at: at(50))
        return key
    }

    /// `#expect` would take a copy of the machine.
    private func expect(
        _ orders: Orders, _ expected: Orders, _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(orders == expected, sourceLocation: location)
    }

    @Test("closed until the line has been quiet at on for the whole debounce time")
    func opensAfterQuiet() {
        var key = KeySwitch(offLevel: .low, debounce: Self.debounce)
        #expect(key.position == .unknown && !key.isOpen)
        expect(key.levelRead(.high, at: at(100)), Orders(wakeUp: at(150)))
        #expect(key.reason == .keyMoved)
        expect(key.levelRead(.high, at: at(149)), Orders(wakeUp: at(150)))
        expect(key.levelRead(.high, at: at(150)), Orders(gate: .open))
        #expect(key.isOpen && key.reason == nil && key.position == .on)
        expect(key.levelRead(.high, at: at(250)), .none)
    }

    @Test("the first edge cuts, whatever the level; each further one begins the quiet time anew")
    func firstEdgeCuts() {
        var key = opened()
        expect(key.edge(at: at(1000)), Orders(gate: .close, wakeUp: at(1050)))
        expect(key.levelRead(.high, at: at(1000)), Orders(wakeUp: at(1050)))
        expect(key.edge(at: at(1040)), Orders(wakeUp: at(1090)))
        expect(key.levelRead(.high, at: at(1050)), Orders(wakeUp: at(1090)))
        expect(key.levelRead(.high, at: at(1090)), Orders(gate: .open))
    }

    @Test("a level that changed without an edge cuts as well")
    func silentChangeCuts() {
        var key = opened()
        expect(key.levelRead(.low, at: at(1000)), Orders(gate: .close))
        #expect(key.reason == .keyIsOff && key.position == .off)
        expect(key.edge(at: at(1010)), .none)
    }

    @Test("a line that cannot be read is closed and unknown, and then has to settle again")
    func failureCloses() {
        var key = opened()
        expect(key.lineFailed(eio), Orders(gate: .close))
        #expect(key.reason == .lineFailed(eio) && key.position == .unknown)
        expect(key.levelRead(.high, at: at(2000)), Orders(wakeUp: at(2050)))
        expect(key.levelRead(.high, at: at(2050)), Orders(gate: .open))
    }

    @Test("a gate that refuses is left alone for a second, and the key turned off is still seen")
    func gateRefuses() {
        var key = opened()
        expect(key.gateFailed(code: 1, at: at(1000)), Orders(gate: .close, wakeUp: at(2000)))
        #expect(key.reason == .gateFailed(code: 1) && key.position == .on)
        expect(key.levelRead(.high, at: at(1500)), Orders(wakeUp: at(2000)))
        expect(key.levelRead(.low, at: at(1600)), .none)
        #expect(key.reason == .keyIsOff)
        expect(key.levelRead(.high, at: at(1700)), Orders(wakeUp: at(1750)))
    }

    @Test("with `when = \"high\"` the high level is off")
    func polarity() {
        var key = KeySwitch(offLevel: .high, debounce: Self.debounce)
        _ = key.levelRead(.high, at: at(0))
        #expect(key.position == .off)
        _ = key.levelRead(.low, at: at(1))
        expect(key.levelRead(.low, at: at(51)), Orders(gate: .open))
    }

    // MARK: the time limit

    private static let hour = Int64(3_600_000)

    /// Seen off from 0 on, turned on at 1000, open at 1050.
    private func openedForAnHour(cutsUplinks: Bool = false) -> KeySwitch {
        var key = KeySwitch(
            offLevel: .low, debounce: Self.debounce, limit: .seconds(3600),
            cutsUplinks: cutsUplinks)
        _ = key.levelRead(.low, at: at(0))
        _ = key.edge(at: at(1000))
        expect(key.levelRead(.high, at: at(1000)), Orders(wakeUp: at(1050)))
        expect(
            key.levelRead(.high, at: at(1050)), Orders(gate: .open, wakeUp: at(1050 + Self.hour)))
        return key
    }

    @Test("a turn is good for the limit, to the moment; then closed until the next turn")
    func limit() {
        var key = openedForAnHour()
        let end = 1050 + Self.hour
        #expect(key.ends == at(end))
        expect(key.levelRead(.high, at: at(end - 1)), Orders(wakeUp: at(end)))
        expect(key.levelRead(.high, at: at(end)), Orders(gate: .close))
        #expect(key.reason == .timeIsUp && key.position == .on && key.access == .nothing)
        #expect(key.ends == nil)
        expect(key.levelRead(.high, at: at(end + 150)), .none)
        // A bounce, a line that fails and a gate that refused are no turn.
        expect(key.edge(at: at(end + 200)), Orders(wakeUp: at(end + 250)))
        expect(key.levelRead(.high, at: at(end + 250)), .none)
        _ = key.edge(at: at(end + 300))
        expect(key.levelRead(.low, at: at(end + 301)), .none)
        _ = key.edge(at: at(end + 349))
        _ = key.levelRead(.high, at: at(end + 349))
        expect(key.levelRead(.high, at: at(end + 399)), .none)
        #expect(key.reason == .timeIsUp)
        expect(key.lineFailed(eio), .none)
        _ = key.levelRead(.high, at: at(end + 1000))
        expect(key.levelRead(.high, at: at(end + 1050)), .none)
        #expect(key.reason == .timeIsUp)
        // Off for the debounce time is one.
        _ = key.levelRead(.low, at: at(end + 2000))
        _ = key.levelRead(.high, at: at(end + 2050))
        let next = end + 2100
        expect(
            key.levelRead(.high, at: at(next)), Orders(gate: .open, wakeUp: at(next + Self.hour)))
    }

    @Test("neither a bounce nor a line that could not be read makes the time longer")
    func limitStays() {
        var key = openedForAnHour()
        let end = at(1050 + Self.hour)
        expect(key.edge(at: at(5000)), Orders(gate: .close, wakeUp: at(5050)))
        expect(key.levelRead(.high, at: at(5050)), Orders(gate: .open, wakeUp: end))
        expect(key.lineFailed(eio), Orders(gate: .close))
        _ = key.levelRead(.high, at: at(9000))
        expect(key.levelRead(.high, at: at(9050)), Orders(gate: .open, wakeUp: end))
        #expect(key.ends == end)
    }

    @Test("with a limit, a key that was on at the start must be turned first")
    func limitAtStart() {
        var key = KeySwitch(offLevel: .low, debounce: Self.debounce, limit: .seconds(3600))
        _ = key.levelRead(.high, at: at(0))
        expect(key.levelRead(.high, at: at(50)), .none)
        #expect(key.reason == .mustBeTurned && key.position == .on)
    }

    @Test("a key that cuts the uplinks leaves them open when the time is up")
    func limitKeepsUplinks() {
        var key = openedForAnHour(cutsUplinks: true)
        let end = 1050 + Self.hour
        expect(key.levelRead(.high, at: at(end)), Orders(gate: .closeRemote))
        #expect(key.access == .online && key.reason == .timeIsUp)
        expect(key.edge(at: at(end + 500)), Orders(gate: .close, wakeUp: at(end + 550)))
        expect(key.levelRead(.high, at: at(end + 550)), Orders(gate: .open))
        #expect(key.access == .online)
        expect(key.levelRead(.low, at: at(end + 600)), Orders(gate: .close))
    }

    // MARK: three positions

    private func levels(_ line: KeySwitch.Level, _ remote: KeySwitch.Level) -> KeySwitch.Levels {
        KeySwitch.Levels(line: line, remoteLine: remote)
    }

    @Test("off, online, remote: one contact each; turning shuts everything until it has settled")
    func threePositions() {
        var key = KeySwitch(offLevel: .high, debounce: Self.debounce, cutsUplinks: true)
        expect(key.linesRead(levels(.high, .high), at: at(0)), .none)
        #expect(key.position == .off && key.reason == .keyIsOff)
        expect(key.linesRead(levels(.low, .high), at: at(100)), Orders(wakeUp: at(150)))
        #expect(key.position == .online && key.access == .nothing)
        expect(key.linesRead(levels(.low, .high), at: at(150)), Orders(gate: .open))
        #expect(key.access == .online && key.reason == .keyIsAtOnline)
        expect(key.edge(at: at(200)), Orders(gate: .close, wakeUp: at(250)))
        // The time of quiet begins anew at another position.
        expect(key.linesRead(levels(.high, .low), at: at(240)), Orders(wakeUp: at(290)))
        expect(key.linesRead(levels(.high, .low), at: at(250)), Orders(wakeUp: at(290)))
        expect(key.linesRead(levels(.high, .low), at: at(290)), Orders(gate: .open))
        #expect(key.access == .remote && key.position == .on)
        // Turned back without an edge having been seen.
        expect(
            key.linesRead(levels(.low, .high), at: at(400)), Orders(gate: .close, wakeUp: at(450)))
        expect(key.linesRead(levels(.low, .high), at: at(450)), Orders(gate: .open))
        #expect(key.access == .online)
        expect(key.linesRead(levels(.high, .high), at: at(500)), Orders(gate: .close))
    }

    @Test("both contacts closed is no position of a key: closed, with the reason")
    func contradiction() {
        var key = KeySwitch(offLevel: .high, debounce: Self.debounce, cutsUplinks: true)
        _ = key.linesRead(levels(.high, .low), at: at(0))
        expect(key.linesRead(levels(.high, .low), at: at(50)), Orders(gate: .open))
        expect(key.linesRead(levels(.low, .low), at: at(60)), Orders(gate: .close))
        #expect(key.reason == .contradiction && key.position == .unknown)
        expect(key.linesRead(levels(.low, .low), at: at(9000)), .none)
        _ = key.linesRead(levels(.low, .high), at: at(9100))
        expect(key.linesRead(levels(.low, .high), at: at(9150)), Orders(gate: .open))
    }

    @Test("with a limit, a turn to online and back begins another time; a short circuit does not")
    func threePositionsLimited() {
        var key = KeySwitch(
            offLevel: .high, debounce: Self.debounce, limit: .seconds(3600), cutsUplinks: true)
        func settle(_ levels: KeySwitch.Levels, at time: Int64) {
            _ = key.linesRead(levels, at: at(time))
            _ = key.linesRead(levels, at: at(time + 50))
        }
        settle(levels(.low, .high), at: 0)
        settle(levels(.high, .low), at: 200)
        #expect(key.ends == at(250 + Self.hour))
        let over = 250 + Self.hour
        expect(key.linesRead(levels(.high, .low), at: at(over)), Orders(gate: .closeRemote))
        settle(levels(.low, .low), at: over + 100)
        settle(levels(.high, .low), at: over + 300)
        #expect(key.access == .online && key.reason == .timeIsUp && key.position == .on)
        settle(levels(.low, .high), at: over + 500)
        #expect(key.access == .online && key.reason == .keyIsAtOnline)
        settle(levels(.high, .low), at: over + 700)
        #expect(key.access == .remote)
    }

    @Test("the end of the watch closes")
    func stopCloses() {
        var key = opened()
        expect(key.stopped(), Orders(gate: .close))
        #expect(key.position == .unknown)
    }
}

/// What may be expected of the gate, told in terms of what happened rather than of states.
private struct Checker {
    let debounce: Duration
    var now = Instant(nanoseconds: 0)
    var gateIsOpen = false
    /// The last moment that spoke against "on": an edge, "off", a failure, or the beginning.
    var lastDoubt: Instant?
    var lastReadWasOn = false

    mutating func apply(_ orders: KeySwitch.Orders) -> Bool {
        switch orders.gate {
        case .open where gateIsOpen, .close where !gateIsOpen: return false
        // There is no limit, and there are no uplinks.
        case .closeRemote: return false
        case .open: gateIsOpen = true
        case .close: gateIsOpen = false
        case nil: break
        }
        if let wakeUp = orders.wakeUp, wakeUp < now { return false }
        guard gateIsOpen else { return true }
        return lastReadWasOn && (lastDoubt.map { now - $0 >= debounce } ?? true)
    }
}

private enum Happening: CaseIterable {
    case edge, low, high, lineFails, gateFails
}

private struct Pair {
    var key: KeySwitch
    var checker: Checker

    /// Lets something happen `later`; false when the gate did what it may not.
    mutating func happen(_ what: Happening, after later: Duration) -> Bool {
        checker.now += later
        let now = checker.now
        let orders: KeySwitch.Orders
        switch what {
        case .high:
            checker.lastReadWasOn = true
            orders = key.levelRead(.high, at: now)
        case .low:
            checker.lastReadWasOn = false
            checker.lastDoubt = now
            orders = key.levelRead(.low, at: now)
        case .edge:
            checker.lastDoubt = now
            orders = key.edge(at: now)
        case .lineFails:
            checker.lastReadWasOn = false
            checker.lastDoubt = now
            orders = key.lineFailed(LineFailure(.readLevel, code: 5))
        case .gateFails:
            checker.lastDoubt = now
            orders = key.gateFailed(code: 1, at: now)
        }
        return checker.apply(orders) && checker.gateIsOpen == key.isOpen
            && (key.reason == nil) == key.isOpen
    }
}

@Suite("key switch: the gate is never open in doubt")
struct KeySwitchModelTests {
    private static let debounce = Duration.milliseconds(50)

    private func fresh() -> Pair {
        Pair(
            key: KeySwitch(offLevel: .low, debounce: Self.debounce),
            checker: Checker(debounce: Self.debounce))
    }

    @Test("in every sequence of six happenings, soon or late after one another")
    func exhaustive() {
        var count = 0
        var openings = 0
        var stuck = 0
        func explore(_ pair: Pair, depth: Int) -> Bool {
            count += 1
            if pair.checker.gateIsOpen { openings += 1 }
            if depth == 0 {
                // Once the doubts end, it opens: a read, and another after the longest wait.
                var calm = pair
                guard calm.happen(.high, after: KeySwitch.gateRetry),
                    calm.happen(.high, after: Self.debounce)
                else { return false }
                if !calm.key.isOpen { stuck += 1 }
                return true
            }
            for what in Happening.allCases {
                for later in [Duration.milliseconds(20), Self.debounce] {
                    var next = pair
                    guard next.happen(what, after: later), explore(next, depth: depth - 1)
                    else { return false }
                }
            }
            return true
        }
        #expect(explore(fresh(), depth: 6))
        #expect(count == 1_111_111)
        #expect(openings > 10_000)
        #expect(stuck == 0)
    }

    @Test("in storms on the wire", arguments: 0..<200 as Range<UInt64>)
    func storms(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var pair = fresh()
        var level = Happening.low
        var isSound = true
        for _ in 0..<2000 {
            let later = Duration.microseconds(Int64.random(in: 1...30_000, using: &random))
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<30:
                // Bounces, more of them than the kernel keeps; then the level as it happens to be.
                for _ in 0..<Int.random(in: 1...16, using: &random) {
                    isSound = pair.happen(.edge, after: .microseconds(100)) && isSound
                }
                level = Bool.random(using: &random) ? .high : .low
                isSound = pair.happen(level, after: .zero) && isSound
            case 30: isSound = pair.happen(.lineFails, after: later) && isSound
            case 31: isSound = pair.happen(.gateFails, after: later) && isSound
            default: isSound = pair.happen(level, after: later) && isSound
            }
        }
    }
}
