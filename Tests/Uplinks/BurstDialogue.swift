import Base
import Testing
import Uplinks

/// Talks to a monitor with bursts: plays time, and answers each probe as `answer` says.
struct BurstDialogue {
    struct Probe: Equatable {
        var sequence: UInt16
        var target: IPv4Address
        var sentAt: Instant
    }

    static let first = MonitorDialogue.first
    static let second = MonitorDialogue.second
    static let rtt = Duration.milliseconds(20)

    var monitor: UplinkMonitor
    /// A multiple of every interval: in step from the first probe on.
    var now = Instant(nanoseconds: 3_600_000_000_000)
    /// After what time a probe is answered; nil: never.
    var answer: (Probe) -> Duration? = { _ in rtt }
    private(set) var sent: [Probe] = []
    private var declared: [UplinkMonitor.Effect] = []
    private var answers: [(at: Instant, probe: Probe)] = []

    init(
        targets: [IPv4Address] = [first, second], interval: Duration = .seconds(5),
        timeout: Duration = .milliseconds(500), failures: Int = 3, successes: Int = 5,
        confirm: Duration = .milliseconds(850)
    ) {
        monitor = UplinkMonitor(
            limits: .init(
                targets: targets, interval: interval, timeout: timeout, failures: failures,
                successes: successes, burst: true, confirm: confirm), at: now)
        note(monitor.linkFound(at: now))
    }

    /// Takes declarations since the last call.
    mutating func declarations() -> [UplinkMonitor.Effect] {
        defer { declared = [] }
        return declared
    }

    /// Takes the probes sent since the last call.
    mutating func probes() -> [Probe] {
        defer { sent = [] }
        return sent
    }

    mutating func run(for duration: Duration) throws {
        let end = now + duration
        while true {
            let next = answers.indices.min { answers[$0].at < answers[$1].at }
            let due = monitor.nextWakeUp ?? end
            if let next, answers[next].at <= min(due, end) {
                let answer = answers.remove(at: next)
                now = max(now, answer.at)
                note(
                    monitor.probeAnswered(
                        answer.probe.sequence, from: answer.probe.target, at: now))
            } else if due < end {
                now = max(now, due)
                note(monitor.timePassed(at: now))
                try #require((monitor.nextWakeUp ?? end) > now, "woken for ever")
            } else {
                break
            }
        }
        now = end
    }

    /// Until the next regular probe goes out, and a moment more.
    mutating func runToNextProbe() throws {
        let due = try #require(monitor.nextWakeUp)
        try run(for: due - now + .nanoseconds(1))
    }

    mutating func note(_ effects: [UplinkMonitor.Effect]) {
        for effect in effects {
            switch effect {
            case .sendProbe(let sequence, let target):
                let probe = Probe(sequence: sequence, target: target, sentAt: now)
                sent.append(probe)
                if let delay = answer(probe) { answers.append((now + delay, probe)) }
            case .declare:
                declared.append(effect)
            }
        }
    }
}
