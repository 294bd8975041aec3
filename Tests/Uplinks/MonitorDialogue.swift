import Base
import Testing
import Uplinks

/// Talks to a monitor without bursts: one probe a second, each answered or not; keeps what it declared.
struct MonitorDialogue {
    static let first = IPv4Address(value: 0x0101_0101)
    static let second = IPv4Address(value: 0x0909_0909)
    static let rtt = Duration.milliseconds(20)

    var monitor: UplinkMonitor
    var now = Instant(nanoseconds: 1_000_000_000)
    var declared: [UplinkMonitor.Effect] = []
    private(set) var lastProbe: (sequence: UInt16, target: IPv4Address)?

    init(
        targets: [IPv4Address] = [first, second], failures: Int = 3, successes: Int = 5,
        hasLink: Bool = true
    ) {
        monitor = UplinkMonitor(
            limits: .init(
                targets: targets, interval: .seconds(1), timeout: .milliseconds(500),
                failures: failures, successes: successes, burst: false), at: now)
        if hasLink { note(monitor.linkFound(at: now)) }
    }

    /// Takes declarations since the last call.
    mutating func declarations() -> [UplinkMonitor.Effect] {
        defer { declared = [] }
        return declared
    }

    /// Lets time pass to the next probe; returns its target.
    @discardableResult
    mutating func probe() throws -> IPv4Address {
        lastProbe = nil
        while lastProbe == nil {
            now = max(now, try #require(monitor.nextWakeUp))
            note(monitor.timePassed(at: now))
        }
        return try #require(lastProbe).target
    }

    mutating func answered() throws {
        try probe()
        try answer(after: Self.rtt)
    }

    mutating func lost() throws {
        try probe()
        now += .milliseconds(500)
        note(monitor.timePassed(at: now))
    }

    /// Answered after the time-out, before the next probe.
    mutating func answeredLate() throws {
        try lost()
        try answer(after: .milliseconds(100))
    }

    mutating func answer(after delay: Duration) throws {
        let probe = try #require(lastProbe)
        now += delay
        note(monitor.probeAnswered(probe.sequence, from: probe.target, at: now))
    }

    mutating func note(_ effects: [UplinkMonitor.Effect]) {
        for effect in effects {
            switch effect {
            case .sendProbe(let sequence, let target): lastProbe = (sequence, target)
            case .declare: declared.append(effect)
            }
        }
    }
}
