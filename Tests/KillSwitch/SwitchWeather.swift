import Base
import TestSupport

@testable import KillSwitch

/// A key, its wire, the daemon's switch thread and the kernel's gate, in virtual time: what may go wrong
/// between them goes wrong at random, by seed.
///
/// The thread is the production decision (`KeySwitch`) in the order of `SwitchLoop`: cut on an edge, look,
/// keep the gate. What the seed plays, too, is the kind of key: whether it cuts the uplinks, has three positions, and
/// whether a turn is good for a time only.
struct SwitchWeather {
    /// What can be wrong; each with its share of the turns.
    enum Fault: CaseIterable {
        /// 1 to 60 changes of the level within a few milliseconds.
        case bounce
        /// The kernel's queue was full, or the chip does not wake us: the edge is not seen.
        case silent
        case busy, readError, unplugged
        /// The two wires of a key with three positions touch, without an edge that the kernel sees.
        case short
        /// The firewall refuses every order.
        case gateRefuses
        /// SIGSTOP, or no processor for as long.
        case hung
        /// SIGKILL, and a new daemon some time later.
        case killed
        case none
    }

    /// What the key is wired and configured for.
    struct Kind: Hashable {
        var cutsUplinks = false
        var isLimited = false
        var hasThreePositions = false

        init(seed: UInt64) {
            hasThreePositions = seed % 3 == 2
            cutsUplinks = seed % 3 != 0
            isLimited = seed % 5 < 2
        }
    }

    static let debounce = Duration.milliseconds(50)
    static let limit = Duration.seconds(4)
    static let lease = Duration.milliseconds(500)
    static let tick = KillSwitchService.Limits.tick
    /// From an edge until the thread runs.
    private static let wakeUpMax = Int64(1_000_000)

    private struct Thread {
        var key: KeySwitch
        var hasLine = false
        var lineRetryAt = Instant.boot
        var wakeUp: Instant?
        var closeIsDue = true

        init(_ kind: Kind) {
            key = KeySwitch(
                offLevel: .high, debounce: SwitchWeather.debounce,
                limit: kind.isLimited ? SwitchWeather.limit : nil,
                cutsUplinks: kind.cutsUplinks)
        }
    }

    private enum Place: CaseIterable {
        case off, online, remote
    }

    private struct Forbidden {
        var remote: Instant? = .boot
        var uplinks: Instant? = .boot
    }

    /// What the kernel holds open, each to the end of its lease.
    private struct Leases {
        var remote = Instant.boot
        var uplinks = Instant.boot
        /// Times that remote access was opened.
        var openings = 0

        /// The end of whatever ends next.
        func next(after now: Instant) -> Instant? {
            [remote, uplinks].filter { now < $0 }.min()
        }
    }

    private var random: SeededGenerator
    private(set) var now = Instant.boot
    /// Where the key is, and what it forbids since when, by what a person sees.
    private var place = Place.off
    private var forbidden = Forbidden()
    private var faults: Set<Fault> = []
    /// What is put right still excuses until the thread has looked once more.
    private var healing: Set<Fault> = []
    private var healedAt: Instant = .boot
    /// Whether the kernel has tables that end with their owner.
    private let hasGrant: Bool
    /// Until when the thread sleeps, unless an edge comes.
    private var runsAt: Instant = .boot
    private var edgeWaits = false
    private var thread: Thread?
    private var leases = Leases()
    /// When remote access was opened first since the key was turned to it; nil: not yet.
    private var begun: Instant?
    /// Times that it ended because its time was up.
    private(set) var timesUp = 0
    /// Turns made.
    private(set) var turns = 0
    /// Longest time that the gate was open with the key off, without and with a fault that excuses it.
    private(set) var worst = Duration.zero
    private(set) var worstWithFault = Duration.zero
    var openings: Int { leases.openings }
    /// What the checkers found, with the time.
    private(set) var violation: String?

    /// `looks: false` breaks the thread on purpose: it never sees an edge nor reads the line again.
    private let looks: Bool

    let kind: Kind

    init(seed: UInt64, looks: Bool = true) {
        kind = Kind(seed: seed)
        random = SeededGenerator(seed: seed)
        self.looks = looks
        hasGrant = seed.isMultiple(of: 2)
        thread = Thread(kind)
    }

    private var gateIsOpen: Bool { now < leases.remote && (thread != nil || !hasGrant) }
    private var areUplinksOpen: Bool { kind.cutsUplinks && now < leases.uplinks }

    /// Turns the key `count` times, each with some fault or none; then all is well, and the gate must open.
    mutating func run(turns count: Int) {
        for _ in 0..<count where violation == nil {
            turn()
            run(for: .microseconds(Int64.random(in: 500...1_500_000, using: &random)))
            if Bool.random(using: &random) { recover() }
        }
        guard violation == nil else { return }
        recover()
        run(for: .seconds(1))
        // Nothing but a turn begins another time.
        move(to: .off)
        run(for: .seconds(2))
        if kind.hasThreePositions {
            move(to: .online)
            run(for: .seconds(1))
            if gateIsOpen || !areUplinksOpen { violation = "\(now): the key is at online" }
        }
        move(to: .remote)
        run(for: .seconds(3))
        guard violation == nil else { return }
        if !gateIsOpen { violation = "\(now): all has been well for 3 s, and the gate is shut" }
        if kind.cutsUplinks != areUplinksOpen { violation = "\(now): the uplinks are shut" }
        guard violation == nil, kind.isLimited else { return }
        run(for: Self.limit)
        if gateIsOpen { violation = "\(now): remote access goes on and on" }
        if kind.cutsUplinks != areUplinksOpen { violation = "\(now): its end cut the uplinks" }
        timesUp += 1
    }

    private mutating func turn() {
        turns += 1
        let fault = Fault.allCases.randomElement(using: &random) ?? .none
        faults.insert(fault)
        switch fault {
        case .bounce:
            for _ in 0..<Int.random(in: 1...60, using: &random) where violation == nil {
                move(to: next)
                run(for: .microseconds(Int64.random(in: 20...800, using: &random)))
            }
            faults.remove(.bounce)
        case .short:
            // With one wire there is nothing that it could touch.
            if kind.hasThreePositions { touched() } else { faults.remove(.short) }
        case .killed:
            thread = nil
        case .busy, .unplugged:
            // What holds the line open is taken away; the poll is not woken.
            break
        case .silent, .readError, .gateRefuses, .hung, .none:
            break
        }
        move(to: next)
    }

    /// Another position of the key.
    private var next: Place {
        mutating get {
            guard kind.hasThreePositions else { return place == .off ? .remote : .off }
            return Place.allCases.filter { $0 != place }.randomElement(using: &random) ?? .off
        }
    }

    private mutating func recover() {
        // Twice within a tick: what the first one put right has not been looked at yet.
        healing = now < healedAt ? healing.union(faults) : faults
        healedAt = now + Self.tick
        faults = []
        touched()
        if thread == nil {
            thread = Thread(kind)
            runsAt = now
        }
    }

    private mutating func move(to new: Place) {
        guard new != place else { return }
        place = new
        // Away for a moment, as while it bounces, is no turn.
        if new == .remote, let since = forbidden.remote, now - since >= Self.debounce {
            begun = nil
        }
        touched()
        guard !faults.contains(.silent), !faults.contains(.unplugged) else { return }
        edgeWaits = true
        if thread?.hasLine ?? false {
            runsAt = min(
                runsAt,
                now + .nanoseconds(Int64.random(in: 10_000...Self.wakeUpMax, using: &random)))
        }
    }

    /// The wires read something else from now on, or the same.
    private mutating func touched() {
        let isShort = faults.contains(.short)
        let forbidsRemote = place != .remote || isShort
        let forbidsUplinks = place == .off || isShort
        forbidden.remote = forbidsRemote ? forbidden.remote ?? now : nil
        forbidden.uplinks = forbidsUplinks ? forbidden.uplinks ?? now : nil
    }

    private var levels: KeySwitch.Levels {
        func level(_ isClosed: Bool) -> KeySwitch.Level { isClosed ? .low : .high }
        guard kind.hasThreePositions else { return .init(line: level(place == .remote)) }
        let isShort = faults.contains(.short)
        return .init(
            line: level(place == .online || isShort && place == .remote),
            remoteLine: level(place == .remote || isShort && place == .online))
    }

    // MARK: the thread

    private mutating func run(for duration: Duration) {
        let end = now + duration
        while violation == nil {
            let isStuck = thread == nil || faults.contains(.hung)
            // The gate's own end is looked at, too.
            var next = isStuck ? end : min(end, max(now, runsAt))
            let ends = leases.next(after: now)
            if let ends, ends < next { next = ends - .nanoseconds(1) }
            if next > now { now = next }
            check()
            if now >= end { return }
            if let ends, now == ends - .nanoseconds(1) {
                now = ends
                continue
            }
            if !isStuck, now >= runsAt { step() }
        }
    }

    private mutating func step() {
        guard var thread else { return }
        if looks, edgeWaits, thread.hasLine { obey(thread.key.edge(at: now), &thread) }
        if looks || thread.key.access == .nothing { look(&thread) }
        keepGate(&thread)
        runsAt = now + Self.tick
        if let wakeUp = thread.wakeUp { runsAt = min(runsAt, max(wakeUp, now + .microseconds(50))) }
        if thread.hasLine { edgeWaits = false }
        self.thread = thread
    }

    private mutating func look(_ thread: inout Thread) {
        if !thread.hasLine {
            guard now >= thread.lineRetryAt else { return }
            if faults.contains(.busy) || faults.contains(.unplugged) {
                return fail(LineFailure(.requestLine, code: 16), &thread)
            }
            thread.hasLine = true
        }
        if faults.contains(.unplugged) || faults.contains(.readError) {
            return fail(LineFailure(.readLevel, code: 5), &thread)
        }
        if let wakeUp = thread.wakeUp, wakeUp <= now { thread.wakeUp = nil }
        obey(thread.key.linesRead(levels, at: now), &thread)
    }

    private mutating func fail(_ failure: LineFailure, _ thread: inout Thread) {
        obey(thread.key.lineFailed(failure), &thread)
        thread.hasLine = false
        thread.wakeUp = nil
        thread.lineRetryAt = now + .seconds(1)
    }

    private mutating func obey(_ orders: KeySwitch.Orders, _ thread: inout Thread) {
        switch orders.gate {
        case .close: close(&thread)
        case .closeRemote where faults.contains(.gateRefuses): break
        case .closeRemote: leases.remote = now
        case .open: thread.closeIsDue = false
        case nil: break
        }
        if let wakeUp = orders.wakeUp { thread.wakeUp = wakeUp }
    }

    private mutating func keepGate(_ thread: inout Thread) {
        if thread.key.access > .nothing {
            if faults.contains(.gateRefuses) {
                obey(thread.key.gateFailed(code: 1, at: now), &thread)
            } else {
                leases.uplinks = now + Self.lease
                guard thread.key.isOpen else { return }
                if now >= leases.remote { leases.openings += 1 }
                leases.remote = now + Self.lease
                begun = begun ?? now
            }
        } else if thread.closeIsDue {
            close(&thread)
        }
    }

    private mutating func close(_ thread: inout Thread) {
        thread.closeIsDue = faults.contains(.gateRefuses)
        guard !thread.closeIsDue else { return }
        leases.remote = now
        leases.uplinks = now
    }

    // MARK: safety

    private mutating func check() {
        if kind.isLimited, gateIsOpen, let begun {
            check(now - begun - Self.limit, "the time is up")
        }
        if gateIsOpen, let since = forbidden.remote {
            check(now - since, "the key is not at remote")
        }
        if areUplinksOpen, let since = forbidden.uplinks { check(now - since, "the key is off") }
    }

    /// What should be shut has been open for so long.
    private mutating func check(_ late: Duration, _ why: String) {
        guard late > .zero else { return }
        // Seen by the next look; or, when nobody looks or nothing is obeyed, ended by the kernel.
        let faults = now < healedAt ? faults.union(healing) : faults
        let excuse: Duration
        if faults.contains(.hung) || faults.contains(.gateRefuses) || faults.contains(.killed) {
            excuse = Self.lease
        } else if faults.contains(.silent) || faults.contains(.unplugged) || faults.contains(.short)
        {
            excuse = Self.tick
        } else {
            excuse = .zero
        }
        if excuse == .zero {
            worst = max(worst, late)
        } else {
            worstWithFault = max(worstWithFault, late)
        }
        guard late > excuse + .nanoseconds(Self.wakeUpMax) else { return }
        violation = "\(now): \(why) for \(late), and something is open, \(kind), faults \(faults)"
    }
}
