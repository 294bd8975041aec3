import Base
import TestSupport

@testable import KillSwitch

/// A key, its wire, the daemon's switch thread and the kernel's gate, in virtual time: what may go wrong
/// between them goes wrong at random, by seed.
///
/// The thread is the production decision (`KeySwitch`) in the order of `SwitchLoop`: cut on an edge, look,
/// keep the gate.
struct SwitchWeather {
    /// What can be wrong; each with its share of the turns.
    enum Fault: CaseIterable {
        /// 1 to 60 changes of the level within a few milliseconds.
        case bounce
        /// The kernel's queue was full, or the chip does not wake us: the edge is not seen.
        case silent
        case busy, readError, unplugged
        /// The firewall refuses every order.
        case gateRefuses
        /// SIGSTOP, or no processor for as long.
        case hung
        /// SIGKILL, and a new daemon some time later.
        case killed
        case none
    }

    static let debounce = Duration.milliseconds(50)
    static let lease = Duration.milliseconds(500)
    static let tick = KillSwitchService.Limits.tick
    /// From an edge until the thread runs.
    private static let wakeUpMax = Int64(1_000_000)

    private struct Thread {
        var key = KeySwitch(offLevel: .high, debounce: SwitchWeather.debounce)
        var hasLine = false
        var lineRetryAt = Instant.boot
        var wakeUp: Instant?
        var closeIsDue = true
    }

    private var random: SeededGenerator
    private(set) var now = Instant.boot
    /// Whether the contact is closed: the line then reads low, which allows.
    private var keyIsOn = false
    private var offSince: Instant? = .boot
    private var faults: Set<Fault> = []
    /// What is put right still excuses until the thread has looked once more.
    private var healing: Set<Fault> = []
    private var healedAt: Instant = .boot
    /// Whether the kernel has tables that end with their owner.
    private let hasGrant: Bool
    /// Until when the thread sleeps, unless an edge comes.
    private var runsAt: Instant = .boot
    private var edgeWaits = false
    private var thread: Thread? = Thread()
    private var leaseEnds: Instant = .boot
    /// Turns made.
    private(set) var turns = 0
    /// Longest time that the gate was open with the key off, without and with a fault that excuses it.
    private(set) var worst = Duration.zero
    private(set) var worstWithFault = Duration.zero
    private(set) var openings = 0
    /// What the checkers found, with the time.
    private(set) var violation: String?

    /// `looks: false` breaks the thread on purpose: it never sees an edge nor reads the line again.
    private let looks: Bool

    init(seed: UInt64, looks: Bool = true) {
        random = SeededGenerator(seed: seed)
        self.looks = looks
        hasGrant = seed.isMultiple(of: 2)
    }

    private var gateIsOpen: Bool { now < leaseEnds && (thread != nil || !hasGrant) }

    /// Turns the key `count` times, each with some fault or none; then all is well, and the gate must open.
    mutating func run(turns count: Int) {
        for _ in 0..<count where violation == nil {
            turn()
            run(for: .microseconds(Int64.random(in: 500...1_500_000, using: &random)))
            if Bool.random(using: &random) { recover() }
        }
        guard violation == nil else { return }
        recover()
        move(on: true)
        run(for: .seconds(3))
        if !gateIsOpen { violation = "\(now): all has been well for 3 s, and the gate is shut" }
    }

    private mutating func turn() {
        turns += 1
        let fault = Fault.allCases.randomElement(using: &random) ?? .none
        faults.insert(fault)
        switch fault {
        case .bounce:
            for _ in 0..<Int.random(in: 1...60, using: &random) where violation == nil {
                move(on: !keyIsOn)
                run(for: .microseconds(Int64.random(in: 20...800, using: &random)))
            }
            faults.remove(.bounce)
        case .killed:
            thread = nil
        case .busy, .unplugged:
            // What holds the line open is taken away; the poll is not woken.
            break
        case .silent, .readError, .gateRefuses, .hung, .none:
            break
        }
        move(on: !keyIsOn)
    }

    private mutating func recover() {
        healing = faults
        healedAt = now + Self.tick
        faults = []
        if thread == nil {
            thread = Thread()
            runsAt = now
        }
    }

    private mutating func move(on: Bool) {
        guard on != keyIsOn else { return }
        keyIsOn = on
        offSince = on ? nil : now
        guard !faults.contains(.silent), !faults.contains(.unplugged) else { return }
        edgeWaits = true
        if thread?.hasLine ?? false {
            runsAt = min(
                runsAt,
                now + .nanoseconds(Int64.random(in: 10_000...Self.wakeUpMax, using: &random)))
        }
    }

    // MARK: the thread

    private mutating func run(for duration: Duration) {
        let end = now + duration
        while violation == nil {
            let isStuck = thread == nil || faults.contains(.hung)
            // The gate's own end is looked at, too.
            var next = isStuck ? end : min(end, max(now, runsAt))
            if now < leaseEnds, leaseEnds < next { next = leaseEnds - .nanoseconds(1) }
            if next > now { now = next }
            check()
            if now >= end { return }
            if now == leaseEnds - .nanoseconds(1) {
                now = leaseEnds
                continue
            }
            if !isStuck, now >= runsAt { step() }
        }
    }

    private mutating func step() {
        guard var thread else { return }
        if looks, edgeWaits, thread.hasLine { obey(thread.key.edge(at: now), &thread) }
        if looks || !thread.key.isOpen { look(&thread) }
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
        obey(thread.key.levelRead(keyIsOn ? .low : .high, at: now), &thread)
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
        case .open: thread.closeIsDue = false
        case nil: break
        }
        if let wakeUp = orders.wakeUp { thread.wakeUp = wakeUp }
    }

    private mutating func keepGate(_ thread: inout Thread) {
        if thread.key.isOpen {
            if faults.contains(.gateRefuses) {
                obey(thread.key.gateFailed(code: 1, at: now), &thread)
            } else {
                if now >= leaseEnds { openings += 1 }
                leaseEnds = now + Self.lease
            }
        } else if thread.closeIsDue {
            close(&thread)
        }
    }

    private mutating func close(_ thread: inout Thread) {
        thread.closeIsDue = faults.contains(.gateRefuses)
        if !thread.closeIsDue { leaseEnds = now }
    }

    // MARK: safety

    private mutating func check() {
        guard gateIsOpen, let offSince else { return }
        let late = now - offSince
        // Seen by the next look; or, when nobody looks or nothing is obeyed, ended by the kernel.
        let faults = now < healedAt ? faults.union(healing) : faults
        let excuse: Duration
        if faults.contains(.hung) || faults.contains(.gateRefuses) || faults.contains(.killed) {
            excuse = Self.lease
        } else if faults.contains(.silent) || faults.contains(.unplugged) {
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
        violation = "\(now): the key has been off for \(late), the gate is open, faults \(faults)"
    }
}
