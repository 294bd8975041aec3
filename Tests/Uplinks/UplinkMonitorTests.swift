import Base
import Testing
import Uplinks

@Suite("Uplink monitor")
struct UplinkMonitorTests {
    typealias Dialogue = MonitorDialogue

    @Test("the first answer makes an uplink up")
    func fastStart() throws {
        var uplink = Dialogue()
        #expect(uplink.declarations() == [.declare(.untried, reason: "not probed yet")])
        try uplink.answered()
        #expect(uplink.declarations() == [.declare(.up, reason: "1.1.1.1 answered")])
        try uplink.answered()
        #expect(uplink.declarations() == [])
    }

    @Test("a start without answers is doubtful, then down")
    func deadStart() throws {
        var uplink = Dialogue()
        _ = uplink.declarations()
        try uplink.lost()
        #expect(
            uplink.declarations() == [.declare(.doubtful, reason: "1 probe lost to 1.1.1.1")])
        try uplink.lost()
        #expect(uplink.declarations() == [])
        #expect(uplink.monitor.reason == "2 probes lost to 1.1.1.1, 9.9.9.9")
        try uplink.lost()
        #expect(
            uplink.declarations()
                == [.declare(.down, reason: "3 probes lost to 1.1.1.1, 9.9.9.9")])
    }

    @Test("behaviour 4.1: three losses in a row make it down, two do not")
    func failures() throws {
        var uplink = Dialogue()
        try uplink.answered()
        _ = uplink.declarations()
        for _ in 0..<4 {
            try uplink.lost()
            try uplink.lost()
            try uplink.answered()
        }
        #expect(uplink.declarations() == [])
        for _ in 0..<3 { try uplink.lost() }
        #expect(
            uplink.declarations()
                == [.declare(.down, reason: "3 probes lost to 1.1.1.1, 9.9.9.9")])
    }

    @Test("behaviour 4.8: five answers in a row make it up again; a loss starts the count anew")
    func recovery() throws {
        var uplink = Dialogue()
        for _ in 0..<3 { try uplink.lost() }
        _ = uplink.declarations()
        for _ in 0..<4 { try uplink.answered() }
        #expect(
            uplink.declarations() == [
                .declare(.recovering, reason: "recovering: 1 of 5 probes answered in a row")
            ])
        try uplink.lost()
        for _ in 0..<4 { try uplink.answered() }
        #expect(uplink.declarations() == [])
        #expect(uplink.monitor.reason == "recovering: 4 of 5 probes answered in a row")
        try uplink.answered()
        #expect(
            uplink.declarations() == [.declare(.up, reason: "5 probes in a row answered")])
        #expect(uplink.monitor.since == uplink.now)
    }

    @Test("a recovering uplink that falls silent is down again")
    func relapse() throws {
        var uplink = Dialogue()
        for _ in 0..<3 { try uplink.lost() }
        try uplink.answered()
        _ = uplink.declarations()
        for _ in 0..<3 { try uplink.lost() }
        #expect(uplink.monitor.standing == .down)
        #expect(uplink.declarations().count == 1)
    }

    @Test("targets take turns when they fail, so one dead target is no dead uplink")
    func deadTarget() throws {
        var uplink = Dialogue()
        for _ in 0..<3 { try uplink.lost() }
        for _ in 0..<20 {
            let target = try uplink.probe()
            if target == Dialogue.second {
                try uplink.answer(after: Dialogue.rtt)
            }
        }
        #expect(uplink.monitor.standing == .up)
    }

    @Test("no carrier is down at once, and the cable alone does not make it up")
    func carrier() throws {
        var uplink = Dialogue()
        try uplink.answered()
        _ = uplink.declarations()
        uplink.note(uplink.monitor.linkLost("no carrier", at: uplink.now))
        #expect(uplink.declarations() == [.declare(.noLink, reason: "no carrier")])
        #expect(uplink.monitor.nextWakeUp == nil)
        #expect(uplink.monitor.timePassed(at: uplink.now + .seconds(60)) == [])

        uplink.now += .seconds(60)
        uplink.note(uplink.monitor.linkFound(at: uplink.now))
        #expect(uplink.monitor.standing == .down)
        #expect(uplink.monitor.nextWakeUp == uplink.now)
        for _ in 0..<5 { try uplink.answered() }
        #expect(uplink.monitor.standing == .up)
    }

    @Test("a link that was never there says so, and is picked up when it appears")
    func missing() throws {
        var uplink = Dialogue(hasLink: false)
        uplink.note(
            uplink.monitor.linkLost("interface eth9 does not exist", at: uplink.now))
        #expect(
            uplink.declarations() == [.declare(.noLink, reason: "interface eth9 does not exist")])
        uplink.note(uplink.monitor.linkLost("no carrier", at: uplink.now))
        #expect(uplink.declarations() == [.declare(.noLink, reason: "no carrier")])
        uplink.note(uplink.monitor.linkLost("no carrier", at: uplink.now))
        #expect(uplink.declarations() == [])
        #expect(uplink.monitor.reason == "no carrier")
        // It has nothing to make good: its first answer will do.
        uplink.note(uplink.monitor.linkFound(at: uplink.now))
        try uplink.answered()
        #expect(uplink.monitor.standing == .up)
    }

    @Test("a late answer heals the loss and proves life, but does not count as in time")
    func lateAnswers() throws {
        var uplink = Dialogue()
        try uplink.answered()
        for _ in 0..<10 { try uplink.answeredLate() }
        #expect(uplink.monitor.standing == .up)
        #expect(uplink.monitor.window.lossPercent == 0)

        for _ in 0..<3 { try uplink.lost() }
        #expect(uplink.monitor.standing == .down)
        for _ in 0..<10 { try uplink.answeredLate() }
        #expect(uplink.monitor.standing == .recovering)
    }

    @Test("answers that are foreign, repeated or forged change nothing")
    func foreignAnswers() throws {
        var uplink = Dialogue()
        try uplink.probe()
        let sequence = try #require(uplink.lastProbe).sequence
        _ = uplink.declarations()
        uplink.note(
            uplink.monitor.probeAnswered(sequence, from: Dialogue.second, at: uplink.now))
        uplink.note(
            uplink.monitor.probeAnswered(sequence &+ 1, from: Dialogue.first, at: uplink.now))
        #expect(uplink.declarations() == [])
        try uplink.answer(after: Dialogue.rtt)
        try uplink.lost()
        uplink.note(
            uplink.monitor.probeAnswered(sequence, from: Dialogue.first, at: uplink.now))
        #expect(uplink.monitor.window.lossPercent == 50)
    }

    @Test("a probe that cannot be sent is lost, and the reason says why")
    func notSent() throws {
        var uplink = Dialogue(targets: [Dialogue.first])
        for _ in 0..<3 {
            try uplink.probe()
            let sequence = try #require(uplink.lastProbe).sequence
            uplink.note(
                uplink.monitor.probeNotSent(
                    sequence, "cannot send a probe to 1.1.1.1: Network is unreachable",
                    at: uplink.now))
        }
        #expect(uplink.monitor.standing == .down)
        #expect(
            uplink.monitor.reason
                == "3 probes lost to 1.1.1.1: cannot send a probe to 1.1.1.1: Network is unreachable"
        )
    }

    @Test("after a suspension there is one probe, not one for every missed second")
    func suspension() throws {
        var uplink = Dialogue()
        try uplink.answered()
        uplink.now += .seconds(3600)
        let effects = uplink.monitor.timePassed(at: uplink.now)
        #expect(effects.count == 1)
        #expect(uplink.monitor.timePassed(at: uplink.now) == [])
        #expect(uplink.monitor.nextWakeUp == uplink.now + .milliseconds(500))
    }

    @Test(
        "whenever its link was found, its probes come into step with the interval since boot",
        arguments: [0, 1, 130, 500, 999], [(1000, 500), (100, 50), (30_000, 500)])
    func inStep(milliseconds: Int64, times: (interval: Int64, timeout: Int64)) throws {
        let interval = Duration.milliseconds(times.interval)
        let begin = Instant(nanoseconds: 7_200_000_000_000) + .milliseconds(milliseconds)
        var monitor = UplinkMonitor(
            limits: .init(
                targets: [MonitorDialogue.first], interval: interval,
                timeout: .milliseconds(times.timeout), failures: 3, successes: 5, burst: true),
            at: begin)
        _ = monitor.linkFound(at: begin)
        var last = begin - interval
        for turn in 0..<20 {
            var (due, target) = (Instant.boot, Optional<(UInt16, IPv4Address)>.none)
            while target == nil {
                due = try #require(monitor.nextWakeUp)
                // As late as a busy machine wakes us.
                for effect in monitor.timePassed(at: due + .milliseconds(1)) {
                    if case .sendProbe(let sequence, let to) = effect { target = (sequence, to) }
                }
            }
            #expect(due - last <= interval && due - last >= interval - interval / 8 || turn == 0)
            if turn >= 9 { #expect(due.next(multipleOf: interval) - due == interval) }
            last = due
            let (sequence, to) = try #require(target)
            _ = monitor.probeAnswered(sequence, from: to, at: due + .milliseconds(20))
        }
        #expect(monitor.standing == .up && !monitor.isSuspected)
    }

    @Test("a probe that may take as long as the interval has all of it")
    func wholeTimeout() throws {
        var now = Instant(nanoseconds: 7_200_370_000_000)
        var monitor = UplinkMonitor(
            limits: .init(
                targets: [MonitorDialogue.first], interval: .seconds(1), timeout: .seconds(1),
                failures: 1, successes: 1, burst: false), at: now)
        _ = monitor.linkFound(at: now)
        for _ in 0..<20 {
            var probe: UInt16?
            while probe == nil {
                now = try #require(monitor.nextWakeUp)
                for effect in monitor.timePassed(at: now) {
                    if case .sendProbe(let sequence, _) = effect { probe = sequence }
                }
            }
            let answered = now + .milliseconds(990)
            #expect(try #require(monitor.nextWakeUp) > answered)
            _ = monitor.probeAnswered(
                try #require(probe), from: MonitorDialogue.first, at: answered)
        }
        #expect(monitor.standing == .up)
    }

    @Test("a pace of its own is kept to")
    func stretched() throws {
        var now = Instant(nanoseconds: 7_200_370_000_000)
        var monitor = UplinkMonitor(
            limits: .init(
                targets: [MonitorDialogue.first], interval: .seconds(1),
                timeout: .milliseconds(500), failures: 3, successes: 5, burst: true), at: now)
        _ = monitor.linkFound(at: now)
        var sent: [Instant] = []
        while sent.count < 8 {
            monitor.pace = .milliseconds(7300)
            now = try #require(monitor.nextWakeUp)
            for effect in monitor.timePassed(at: now) {
                guard case .sendProbe(let sequence, let target) = effect else { continue }
                sent.append(now)
                _ = monitor.probeAnswered(sequence, from: target, at: now + .milliseconds(20))
            }
        }
        let gaps = zip(sent.dropFirst(2), sent.dropFirst(1)).map { $0 - $1 }
        #expect(gaps.allSatisfy { $0 == .milliseconds(7300) })
    }

    @Test("sequence numbers wrap around")
    func wrapping() throws {
        var uplink = Dialogue()
        for _ in 0..<66_000 { try uplink.answered() }
        #expect(uplink.monitor.standing == .up)
        #expect(uplink.monitor.window.lossPercent == 0)
    }

    @Test("loss and round-trip time are those of the last sixty probes")
    func window() throws {
        var uplink = Dialogue()
        #expect(uplink.monitor.window.lossPercent == nil)
        #expect(uplink.monitor.window.roundTripTime == nil)
        for _ in 0..<30 {
            try uplink.answered()
            try uplink.lost()
        }
        #expect(uplink.monitor.window.lossPercent == 50)
        #expect(uplink.monitor.window.roundTripTime == Dialogue.rtt)
        for _ in 0..<60 { try uplink.answered() }
        #expect(uplink.monitor.window.lossPercent == 0)
    }
}
