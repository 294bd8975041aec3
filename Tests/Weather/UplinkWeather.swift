package import Base
import TestSupport
package import Uplinks

/// Three uplinks in bad weather, by a virtual clock: production machines on a model of the kernel and the internet.
package struct UplinkWeather {
    static let names = ["eth0", "wlan0", "wwan0"]
    /// The shipped settings.
    package static let shipped = UplinkMonitor.Limits(
        targets: [IPv4Address(value: 0x0101_0101), IPv4Address(value: 0x0909_0909)],
        interval: .seconds(1), timeout: .milliseconds(500), failures: 3, successes: 5, burst: true)
    private static let thirdTarget = IPv4Address(value: 0x0808_0808)
    static let qualityPeriod = Duration.seconds(1)

    enum Event {
        case wakeUp(Int)
        case selectorWakeUp
        case answer(Int, sequence: UInt16, target: IPv4Address, inTime: Bool)
        case traffic, quality
        case askForLogin(Int)
        case loginAnswered(Int, check: Int, LoginAnswer)
        case fault(Fault, Int, begins: Bool)
        /// The other phase of flaps, which end then.
        case phase(Fault, Int, until: Instant)
        case meddle
        case deaf(Bool)
    }

    /// By uplink.
    package let limits: [UplinkMonitor.Limits]
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    var monitors: [UplinkMonitor]
    /// What is asked of them again and again, for asking copies a monitor.
    var views = [MonitorView](repeating: MonitorView(), count: 3)
    package internal(set) var selector = UplinkSelector(
        uplinks: 3, limits: .init(hold: .seconds(30), holdMax: .seconds(600)))
    var quality = QualityWatch(uplinks: 3, limits: .init())
    var traffic = [TrafficWatch](repeating: TrafficWatch(), count: 3)
    var counts = [TrafficCount](repeating: TrafficCount(), count: 3)
    var portals = [PortalWatch](repeating: PortalWatch(), count: 3)
    var portalsAt: [Instant?] = [nil, nil, nil]
    package internal(set) var loginsFound = 0
    var suspected = [false, false, false]
    var selectorAt: Instant?
    var scheduled: [Instant?] = [nil, nil, nil]
    var paths: [UplinkPath?] = [nil, nil, nil]
    package private(set) var eventsHandled = 0
    /// Of every verdict and every choice, with its time: two plays with the same one were the same.
    package internal(set) var digest: UInt64 = 0

    let faults: Faults
    var lines: [Line] = []
    var kernel: KernelModel
    var isCalm = false
    /// The kernel's messages are lost.
    var isDeaf = false
    /// The network has changed since it was looked at.
    var isUnread = true
    /// A standing, a link or a route: only then the promises have to be looked at again.
    var hasChanged = true
    var queue = EventQueue<Event>()
    var random: SeededGenerator
    var checker: UplinkChecker
    /// All that happens is printed from then on.
    package var tellsFrom: Instant?

    package init(seed: UInt64, faults: Faults = Faults()) throws(Violation) {
        random = SeededGenerator(seed: seed)
        self.faults = faults
        let confirm = faults.confirmsByMedium ? [850, 1500, 2500] : [850, 850, 850]
        limits = confirm.map { confirm in
            var limits = Self.shipped
            limits.targets = Array((limits.targets + [Self.thirdTarget]).prefix(faults.targets))
            limits.interval = faults.interval
            limits.burst = faults.burst
            limits.confirm = .milliseconds(confirm)
            return limits
        }
        monitors = limits.map { [now] in UplinkMonitor(limits: $0, at: now) }
        checker = UplinkChecker(limits: limits)
        kernel = KernelModel(sharesSubnet: faults.sharesSubnet)
        begin()
        for uplink in 0..<3 { _ = look(uplink) }
        isUnread = false
        checker.started(views.map(\.standing))
        _ = selector.started(views.map(\.standing), at: now)
        try settle()
        for uplink in 0..<3 { scheduleWakeUp(uplink) }
        if faults.hasTraffic { schedule(.traffic, at: now + TrafficWatch.period) }
        if faults.judgesQuality { schedule(.quality, at: now + Self.qualityPeriod) }
    }

    package var switches: Int { selector.switches }
    package var isAllUp: Bool { views.allSatisfy { $0.standing == .up } }

    /// Lets the weather play until `duration` has passed.
    package mutating func run(for duration: Duration) throws(Violation) {
        let end = now + duration
        while let (time, event) = queue.popFirst(before: end) {
            now = time
            eventsHandled += 1
            try handle(event)
            guard hasChanged else { continue }
            hasChanged = false
            try checker.check(views, selector, kernel, isStale: isUnread, at: now)
        }
        now = end
    }

    private mutating func handle(_ event: Event) throws(Violation) {
        switch event {
        case .wakeUp(let uplink): try wakeUp(uplink)
        case .selectorWakeUp: try wakeUpSelector()
        case .answer(let uplink, let sequence, let target, let inTime):
            guard lines[uplink].isOpen else { return }
            tell("\(uplink) hears \(sequence), \(inTime ? "in time" : "late")")
            checker.answered(
                uplink, sequence, inTime: inTime, isSuspected: views[uplink].isSuspected,
                at: now)
            try perform(
                monitors[uplink].probeAnswered(sequence, from: target, at: now), uplink)
        case .traffic: try countTraffic()
        case .quality: try lookAtQuality()
        case .askForLogin(let uplink): try askForLogin(uplink)
        case .loginAnswered(let uplink, let check, let answer):
            try loginAnswered(uplink, check, answer)
        case .fault(let fault, let uplink, let begins):
            try play(fault, uplink, begins: begins)
        case .phase(let fault, let uplink, let end):
            try playPhase(fault, uplink, until: end)
        case .meddle: try meddle()
        case .deaf(let begins): try playDeaf(begins)
        }
    }
}

extension UplinkWeather {
    mutating func schedule(_ event: Event, at time: Instant) {
        queue.insert(event, at: time)
    }

    mutating func scheduleSelector() {
        guard let due = selector.nextWakeUp, selectorAt.map({ $0 > due }) ?? true else { return }
        let at = max(due, now)
        selectorAt = at
        queue.insert(.selectorWakeUp, at: at)
    }

    mutating func scheduleWakeUp(_ uplink: Int) {
        guard let due = views[uplink].nextWakeUp, scheduled[uplink].map({ $0 > due }) ?? true
        else { return }
        let at = max(due, now)
        scheduled[uplink] = at
        queue.insert(.wakeUp(uplink), at: at)
    }

    /// What happens, of a day that is played for it.
    func tell(_ words: @autoclosure () -> String) {
        guard let tellsFrom, now >= tellsFrom else { return }
        print((now - Instant.boot).inSeconds, words())
    }

    /// What became of an uplink.
    mutating func note(_ uplink: Int, _ verdict: Int) {
        digest(uplink)
        digest(verdict)
        digest(Int(now.nanoseconds))
    }

    mutating func note(carrying: Int?) {
        digest(carrying ?? -1)
        digest(Int(now.nanoseconds))
    }

    private mutating func digest(_ value: Int) {
        // FNV-1a
        digest = (digest ^ UInt64(truncatingIfNeeded: value)) &* 0x100_0000_01b3
    }
}
