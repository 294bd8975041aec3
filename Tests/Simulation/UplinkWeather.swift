import Base
import Glibc
import TestSupport
import Uplinks

/// Three uplinks in bad weather, by a virtual clock: production machines on a model of the kernel and the internet.
struct UplinkWeather {
    /// What can go wrong, each as likely as its option says.
    struct Faults {
        /// An uplink's background loss is drawn from 0 up to this.
        var lossMax = 0.4
        /// Mean time between outages of one uplink, and their mean length.
        var outageEvery = Duration.seconds(300)
        var outageFor = Duration.seconds(30)
        /// Mean time between carrier losses of one uplink, and their mean length.
        var unplugEvery = Duration.seconds(600)
        var unplugFor = Duration.seconds(15)
        /// Mean time between somebody's meddling with the routing table.
        var meddleEvery = Duration.seconds(120)
        /// Longest time that an answer may take; those over the time-out are late.
        var delayMax = Duration.milliseconds(700)
        /// Mean time between short stalls of one uplink, and their mean length.
        var stallEvery = Duration.seconds(200)
        var stallFor = Duration.milliseconds(800)
        /// Mean time between one target's deaths on one uplink, and their mean length.
        var targetDiesEvery = Duration.seconds(900)
        var targetDiesFor = Duration.seconds(60)
        var interval = Duration.seconds(1)
    }

    /// The shipped settings.
    static let limits = UplinkMonitor.Limits(
        targets: [IPv4Address(value: 0x0101_0101), IPv4Address(value: 0x0909_0909)],
        interval: .seconds(1), timeout: .milliseconds(500), failures: 3, successes: 5, burst: true)
    static let names = ["eth0", "wlan0", "wwan0"]

    private enum Event {
        case wakeUp(Int)
        case answer(Int, sequence: UInt16, target: IPv4Address, inTime: Bool)
        case outage(Int, Bool)
        case unplug(Int, Bool)
        case meddle
        case selectorWakeUp
        case stall(Int, Bool)
        case targetDies(Int, Bool)
    }

    private struct Weather {
        var loss: Double
        var isOut = false
        var isPlugged = true
        /// A short silence, as of a modem between two cells.
        var isStalled = false
        /// Nobody answers but the other target.
        var silentTarget: IPv4Address?
    }

    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    private(set) var monitors: [UplinkMonitor]
    private(set) var selector = UplinkSelector(
        uplinks: 3, limits: .init(hold: .seconds(30), holdMax: .seconds(600)))
    private var suspected = [false, false, false]
    private var selectorAt: Instant?
    private(set) var kernel = KernelModel()
    private(set) var eventsHandled = 0
    private var weather: [Weather]
    private var faults: Faults
    private var isCalm = false
    /// A standing, a link or a route: only then the promises have to be looked at again.
    private var hasChanged = true
    private var queue = EventQueue<Event>()
    private var scheduled: [Instant?] = [nil, nil, nil]
    private var random: SeededGenerator
    private var checker: UplinkChecker

    init(seed: UInt64, faults: Faults = Faults(), burst: Bool = true) throws(Violation) {
        random = SeededGenerator(seed: seed)
        self.faults = faults
        let start = now
        var limits = Self.limits
        limits.burst = burst
        limits.interval = faults.interval
        monitors = (0..<3).map { _ in UplinkMonitor(limits: limits, at: start) }
        weather = []
        checker = UplinkChecker(limits: limits)
        for uplink in 0..<3 {
            let isPlugged = Double.random(in: 0..<1, using: &random) < 0.8
            weather.append(
                Weather(
                    loss: Double.random(in: 0...faults.lossMax, using: &random),
                    isPlugged: isPlugged))
            kernel.plug(uplink, isPlugged)
            schedule(.outage(uplink, true), afterMean: faults.outageEvery)
            schedule(.stall(uplink, true), afterMean: faults.stallEvery)
            schedule(.targetDies(uplink, true), afterMean: faults.targetDiesEvery)
            schedule(
                .unplug(uplink, isPlugged),
                afterMean: isPlugged ? faults.unplugEvery : faults.unplugFor)
        }
        schedule(.meddle, afterMean: faults.meddleEvery)
        for uplink in 0..<3 { _ = look(uplink) }
        _ = selector.started(monitors.map(\.standing), at: now)
        try settle()
        for uplink in 0..<3 { scheduleWakeUp(uplink) }
    }

    /// Lets the weather play until `duration` has passed.
    mutating func run(for duration: Duration) throws(Violation) {
        let end = now + duration
        while let (time, event) = queue.popFirst(before: end) {
            now = time
            eventsHandled += 1
            try handle(event)
            guard hasChanged else { continue }
            hasChanged = false
            try checker.check(self)
        }
        now = end
    }

    /// All faults stop: cables in, outages over, no loss, no meddling.
    mutating func calmDown() throws(Violation) {
        isCalm = true
        for uplink in 0..<3 {
            weather[uplink] = Weather(loss: 0)
            kernel.plug(uplink, true)
            try perform(look(uplink), uplink)
        }
    }

    private mutating func handle(_ event: Event) throws(Violation) {
        switch event {
        case .wakeUp(let uplink):
            // One that an earlier one has replaced: it would go on for ever beside it.
            guard scheduled[uplink] == now else { return }
            scheduled[uplink] = nil
            let effects = monitors[uplink].timePassed(at: now)
            if let due = monitors[uplink].nextWakeUp, due <= now {
                throw Violation("uplink \(uplink) wants to be woken for ever")
            }
            try perform(effects, uplink)
        case .answer(let uplink, let sequence, let target, let inTime):
            guard weather[uplink].isPlugged else { return }
            checker.answered(
                uplink, sequence, inTime: inTime, isSuspected: monitors[uplink].isSuspected,
                at: now)
            try perform(
                monitors[uplink].probeAnswered(sequence, from: target, at: now), uplink)
        case .outage(let uplink, let begins):
            guard !isCalm else { return }
            weather[uplink].isOut = begins
            schedule(
                .outage(uplink, !begins),
                afterMean: begins ? faults.outageFor : faults.outageEvery)
        case .unplug(let uplink, let begins):
            guard !isCalm else { return }
            weather[uplink].isPlugged = !begins
            kernel.plug(uplink, !begins)
            schedule(
                .unplug(uplink, !begins),
                afterMean: begins ? faults.unplugFor : faults.unplugEvery)
            try perform(look(uplink), uplink)
        case .selectorWakeUp:
            guard selectorAt == now else { return }
            selectorAt = nil
            if let due = selector.nextWakeUp, due <= now {
                if !selector.timePassed(at: now).isEmpty { try settle() }
                if let due = selector.nextWakeUp, due <= now {
                    throw Violation("the selector wants to be woken for ever")
                }
            }
            scheduleSelector()
        case .stall(let uplink, let begins):
            guard !isCalm else { return }
            weather[uplink].isStalled = begins
            schedule(
                .stall(uplink, !begins), afterMean: begins ? faults.stallFor : faults.stallEvery)
        case .targetDies(let uplink, let begins):
            guard !isCalm else { return }
            weather[uplink].silentTarget =
                begins ? Self.limits.targets.randomElement(using: &random) : nil
            schedule(
                .targetDies(uplink, !begins),
                afterMean: begins ? faults.targetDiesFor : faults.targetDiesEvery)
        case .meddle:
            guard !isCalm else { return }
            kernel.meddle(using: &random)
            if kernel.mainRoutes.isEmpty { checker.routesTakenByOthers() }
            schedule(.meddle, afterMean: faults.meddleEvery)
            try settle()
        }
    }

    /// Tells the monitor what became of its link.
    private mutating func look(_ uplink: Int) -> [UplinkMonitor.Effect] {
        hasChanged = true
        do throws(NoPath) {
            _ = try kernel.view.path(over: Self.names[uplink], gateway: kernel.gateway(uplink))
            return monitors[uplink].linkFound(at: now)
        } catch {
            checker.linkLost(uplink)
            return monitors[uplink].linkLost(error.reason, at: now)
        }
    }

    private mutating func perform(_ effects: [UplinkMonitor.Effect], _ uplink: Int)
        throws(Violation)
    {
        for effect in effects {
            switch effect {
            case .sendProbe(let sequence, let target):
                send(uplink, sequence, target)
            case .declare(let standing, _):
                try checker.declared(uplink, standing)
                _ = selector.standingChanged(uplink, to: standing, at: now)
                try settle()
            }
        }
        try noteSuspicion(uplink)
        scheduleWakeUp(uplink)
        scheduleSelector()
    }

    /// As the service does: when the carrying one is suspected, the others are made sure of.
    private mutating func noteSuspicion(_ uplink: Int) throws(Violation) {
        guard suspected[uplink] != monitors[uplink].isSuspected else { return }
        suspected[uplink].toggle()
        hasChanged = true
        if suspected[uplink], selector.carrying == uplink {
            for other in 0..<3 where other != uplink {
                monitors[other].verify(at: now)
                try perform([], other)
            }
        }
        let effects = selector.suspicionChanged(uplink, to: suspected[uplink], at: now)
        if !effects.isEmpty { try settle() }
    }

    private mutating func scheduleSelector() {
        guard let due = selector.nextWakeUp, selectorAt.map({ $0 > due }) ?? true else { return }
        let at = max(due, now)
        selectorAt = at
        queue.insert(.selectorWakeUp, at: at)
    }

    private mutating func scheduleWakeUp(_ uplink: Int) {
        let due = monitors[uplink].nextWakeUp
        if let due, scheduled[uplink].map({ $0 > due }) ?? true {
            let at = max(due, now)
            scheduled[uplink] = at
            queue.insert(.wakeUp(uplink), at: at)
        }
    }

    private mutating func send(_ uplink: Int, _ sequence: UInt16, _ target: IPv4Address) {
        checker.sent(uplink, sequence, target, at: now)
        let weather = weather[uplink]
        guard !weather.isOut, !weather.isStalled, weather.silentTarget != target,
            Double.random(in: 0..<1, using: &random) >= weather.loss
        else {
            return
        }
        let longest = isCalm ? Duration.milliseconds(100) : faults.delayMax
        let delay = Duration.nanoseconds(
            Int64.random(in: 1_000_000...longest.nanoseconds, using: &random))
        let inTime = delay < Self.limits.timeout
        queue.insert(
            .answer(uplink, sequence: sequence, target: target, inTime: inTime), at: now + delay)
    }

    private mutating func settle() throws(Violation) {
        hasChanged = true
        let paths = (0..<3).map { uplink in
            try? kernel.view.path(over: Self.names[uplink], gateway: kernel.gateway(uplink))
        }
        let plan = RoutePlan(
            interfaces: Self.names, paths: paths, carrying: selector.carrying)
        for change in plan.changes(from: kernel.view) {
            try kernel.apply(change)
            try checker.checkRoute(self)
        }
        let rest = plan.changes(from: kernel.view)
        guard rest.isEmpty else { throw Violation("the plan is never content: \(rest)") }
    }

    private mutating func schedule(_ event: Event, afterMean mean: Duration) {
        // Exponential: as long as one likes without an event, or several at once.
        let factor = -log(Double.random(in: 0.001..<1, using: &random))
        queue.insert(event, at: now + .nanoseconds(Int64(Double(mean.nanoseconds) * factor)))
    }
}

/// A promise that was broken.
struct Violation: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
