import Base
import TestSupport
import Uplinks
import Weather

/// One uplink on a line that loses and delays, by a virtual clock: the production machine alone.
struct LossyLine {
    private enum Event {
        case wakeUp
        case answer(UInt16, IPv4Address)
    }

    /// Share of probes that are lost, at random and independently.
    var loss = 0.0
    var roundTrip = Duration.milliseconds(5)
    /// Nothing passes any more.
    var isCut = false
    /// Targets that answer nothing.
    var dead: Set<IPv4Address> = []

    private(set) var now: Instant
    private(set) var monitor: UplinkMonitor
    private(set) var probesSent = 0
    /// When it was declared down although it had been up.
    private(set) var fallen: [Instant] = []
    private var standing = UplinkMonitor.Standing.untried
    private var queue = EventQueue<Event>()
    private var scheduled: Instant?
    private var random: SeededGenerator

    init(seed: UInt64, limits: UplinkMonitor.Limits) {
        random = SeededGenerator(seed: seed)
        // Any phase to whatever else happens in a test.
        let start = Instant(nanoseconds: 1_000_000_000)
        now = start + .milliseconds(Int64.random(in: 0..<1000, using: &random))
        monitor = UplinkMonitor(limits: limits, at: now)
        perform(monitor.linkFound(at: now))
    }

    mutating func run(for duration: Duration) {
        let end = now + duration
        while let (time, event) = queue.popFirst(before: end) {
            now = time
            switch event {
            case .wakeUp:
                scheduled = nil
                perform(monitor.timePassed(at: now))
            case .answer(let sequence, let target):
                perform(monitor.probeAnswered(sequence, from: target, at: now))
            }
        }
        now = end
    }

    /// As the service does when the watch over its quality asks for it.
    mutating func assess(until end: Instant, every spacing: Duration) {
        monitor.assess(until: end, every: spacing, at: now)
        perform([])
    }

    private mutating func perform(_ effects: [UplinkMonitor.Effect]) {
        for effect in effects {
            switch effect {
            case .sendProbe(let sequence, let target):
                probesSent += 1
                let isLost = Double.random(in: 0..<1, using: &random) < loss
                guard !isCut, !isLost, !dead.contains(target) else { continue }
                // Jitter of a tenth.
                let jitter = Int64.random(in: 0...roundTrip.nanoseconds / 10, using: &random)
                queue.insert(
                    .answer(sequence, target), at: now + roundTrip + .nanoseconds(jitter))
            case .declare(let standing, _):
                if self.standing == .up, standing == .down { fallen.append(now) }
                self.standing = standing
            }
        }
        if let due = monitor.nextWakeUp, scheduled.map({ $0 > due }) ?? true {
            scheduled = due
            queue.insert(.wakeUp, at: due)
        }
    }
}
