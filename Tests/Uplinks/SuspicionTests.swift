import Base
import Testing

@testable import Uplinks

@Suite("Suspicion")
struct SuspicionTests {
    /// Up, with a known round-trip time, and about to send its next regular probe.
    private func trusted(
        targets: [IPv4Address] = [BurstDialogue.first, BurstDialogue.second],
        interval: Duration = .seconds(5), timeout: Duration = .milliseconds(500),
        failures: Int = 3
    ) throws -> BurstDialogue {
        var uplink = BurstDialogue(
            targets: targets, interval: interval, timeout: timeout, failures: failures)
        try uplink.run(for: .milliseconds(99_999))
        #expect(uplink.declarations().last == .declare(.up, reason: "1.1.1.1 answered"))
        #expect(uplink.monitor.bursts == 0)
        _ = uplink.probes()
        return uplink
    }

    @Test("behaviour 4.2: a silence is a verdict 0.85 s after the probe, by a burst to all targets")
    func silence() throws {
        var uplink = try trusted()
        uplink.answer = { _ in nil }
        let begin = uplink.now + .milliseconds(1)
        try uplink.run(for: .milliseconds(850))
        #expect(uplink.monitor.standing == .up)
        try uplink.run(for: .milliseconds(2))
        #expect(
            uplink.declarations() == [
                .declare(.down, reason: "12 probes lost within 0.9 s to 1.1.1.1, 9.9.9.9")
            ])
        let probes = uplink.probes()
        #expect(probes.count == 12)
        // The answer used to take 20 ms; 60 ms is suspicious.
        let offsets = probes.map { ($0.sentAt - begin).milliseconds }
        #expect(offsets == [0] + (1...11).map { Double($0) * 60 })
        #expect(
            probes.map(\.target)
                == (0..<12).map { $0 % 2 == 0 ? BurstDialogue.first : BurstDialogue.second })
        // Then it is probed as before.
        try uplink.run(for: .seconds(20))
        #expect(uplink.probes().count == 4)
        #expect(uplink.monitor.bursts == 1)
    }

    @Test(
        "behaviour 4.2: any single answer clears it, the late one of the first probe too",
        arguments: 0..<12)
    func cleared(by number: Int) throws {
        var uplink = try trusted()
        let first = try #require(uplink.monitor.nextWakeUp)
        // All answers come late, but before the verdict.
        var sent = 0
        uplink.answer = { _ in nil }
        try uplink.runToNextProbe()
        #expect(uplink.probes().map(\.sentAt) == [first])
        uplink.answer = { _ in
            sent += 1
            return sent == number ? .milliseconds(150) : nil
        }
        if number == 0 {
            try uplink.run(for: .milliseconds(849))
            uplink.note(
                uplink.monitor.probeAnswered(20, from: BurstDialogue.first, at: uplink.now))
        } else {
            try uplink.run(for: .milliseconds(900))
        }
        #expect(uplink.monitor.standing == .up)
        #expect(uplink.declarations() == [])
        #expect(uplink.monitor.bursts == 1)
        // No probe, and so no burst, for a whole interval.
        _ = uplink.probes()
        uplink.answer = { _ in BurstDialogue.rtt }
        let cleared = number == 0 ? uplink.now : first + .milliseconds(60 * number + 150)
        #expect(uplink.monitor.nextWakeUp == cleared + .seconds(5))
        try uplink.run(for: .seconds(4))
        #expect(uplink.probes().isEmpty)
        try uplink.run(for: .seconds(60))
        #expect(uplink.monitor.bursts == 1)
    }

    @Test("the target that cleared it is the next to be asked: a dead one costs a single burst")
    func deadTarget() throws {
        var uplink = try trusted()
        uplink.answer = { $0.target == BurstDialogue.second ? BurstDialogue.rtt : nil }
        try uplink.run(for: .seconds(300))
        #expect(uplink.declarations() == [])
        #expect(uplink.monitor.bursts == 1)
        // Asked again beside every fifth answer of the other.
        let again = uplink.probes().dropFirst().count { $0.target == BurstDialogue.first }
        #expect((1...13).contains(again))
    }

    @Test("one of eight targets is enough")
    func manyTargets() throws {
        let targets = (1...8).map { IPv4Address(value: 0x0a00_0000 + $0) }
        var uplink = BurstDialogue(targets: targets)
        uplink.answer = { $0.target == targets[7] ? BurstDialogue.rtt : nil }
        try uplink.run(for: .seconds(300))
        #expect(uplink.declarations().map { $0.standing } == [.untried, .doubtful, .up])
        #expect(uplink.monitor.bursts == 1)
    }

    @Test("two targets that answer one ping in two seconds are enough")
    func rateLimited() throws {
        var uplink = try trusted(interval: .seconds(1))
        var last: [IPv4Address: Instant] = [:]
        uplink.answer = { probe in
            if let time = last[probe.target], probe.sentAt - time < .seconds(2) { return nil }
            last[probe.target] = probe.sentAt
            return BurstDialogue.rtt
        }
        try uplink.run(for: .seconds(600))
        #expect(uplink.declarations() == [])
        #expect(uplink.monitor.bursts > 100, "the limit was felt")
    }

    @Test("a single target is asked alone")
    func oneTarget() throws {
        var uplink = try trusted(targets: [BurstDialogue.first])
        uplink.answer = { _ in nil }
        try uplink.run(for: .seconds(1))
        #expect(
            uplink.declarations()
                == [.declare(.down, reason: "12 probes lost within 0.9 s to 1.1.1.1")])
    }

    @Test("a start without answers is doubtful, then down, without waiting for N intervals")
    func deadStart() throws {
        var uplink = BurstDialogue()
        uplink.answer = { _ in nil }
        try uplink.run(for: .seconds(3))
        #expect(
            uplink.declarations() == [
                .declare(.untried, reason: "not probed yet"),
                .declare(.doubtful, reason: "1 probe lost to 1.1.1.1"),
                .declare(.down, reason: "12 probes lost within 1.6 s to 1.1.1.1, 9.9.9.9"),
            ])
    }

    @Test("a start with a lost probe is up with the first answer of the burst")
    func doubtfulStart() throws {
        var uplink = BurstDialogue()
        uplink.answer = { $0.sequence == 1 ? BurstDialogue.rtt : nil }
        try uplink.run(for: .seconds(1))
        #expect(uplink.declarations().last == .declare(.up, reason: "9.9.9.9 answered"))
        #expect(uplink.now - uplink.monitor.since > .milliseconds(400))
    }

    @Test("no verdict while an answer would still be in time")
    func longTimeout() throws {
        var uplink = try trusted(timeout: .seconds(3))
        uplink.answer = { _ in .milliseconds(2990) }
        try uplink.run(for: .seconds(60))
        #expect(uplink.declarations() == [])
        uplink.answer = { _ in nil }
        try uplink.run(for: .seconds(12))
        #expect(uplink.monitor.standing == .down)
    }

    @Test("N regular losses stay the bound, whatever a burst still waits for")
    func failuresBound() throws {
        var uplink = try trusted(failures: 1)
        uplink.answer = { _ in nil }
        try uplink.run(for: .milliseconds(502))
        #expect(
            uplink.declarations() == [.declare(.down, reason: "1 probe lost to 1.1.1.1")])
        var quick = BurstDialogue(
            interval: .milliseconds(100), timeout: .milliseconds(100), failures: 3)
        try quick.run(for: .milliseconds(9_999))
        quick.answer = { _ in nil }
        try quick.run(for: .milliseconds(302))
        #expect(quick.monitor.standing == .down)
    }

    @Test("behaviour 4.2: an uplink that is down or recovering is not probed in bursts")
    func untrusted() throws {
        var uplink = try trusted()
        uplink.answer = { _ in nil }
        try uplink.run(for: .seconds(60))
        _ = uplink.probes()
        try uplink.run(for: .seconds(50))
        #expect(uplink.probes().count == 10)
        uplink.answer = { _ in BurstDialogue.rtt }
        try uplink.run(for: .seconds(10))
        #expect(uplink.monitor.standing == .recovering)
        uplink.answer = { _ in nil }
        _ = uplink.probes()
        try uplink.run(for: .seconds(50))
        #expect(uplink.probes().count == 10)
        #expect(uplink.monitor.standing == .down)
        #expect(uplink.monitor.bursts == 1)
    }

    @Test("answers to a burst after its verdict prove life, but bring nothing up")
    func afterTheVerdict() throws {
        var uplink = try trusted()
        uplink.answer = { _ in .milliseconds(870) }
        try uplink.run(for: .seconds(2))
        #expect(uplink.monitor.standing == .recovering)
        #expect(uplink.monitor.reason == "recovering: 0 of 5 probes answered in a row")
        #expect(uplink.monitor.window.lossPercent == 0)
    }

    @Test("a lost link ends a suspicion, and it does not come back with the link")
    func linkLost() throws {
        var uplink = try trusted()
        uplink.answer = { _ in nil }
        try uplink.run(for: .milliseconds(300))
        uplink.note(uplink.monitor.linkLost("no carrier", at: uplink.now))
        #expect(uplink.monitor.nextWakeUp == nil)
        uplink.note(uplink.monitor.linkFound(at: uplink.now))
        _ = uplink.probes()
        try uplink.run(for: .seconds(4))
        #expect(uplink.probes().count == 1)
    }

    @Test("probes that cannot be sent: the reason says why, after the same time")
    func notSent() throws {
        var uplink = try trusted()
        uplink.answer = { _ in nil }
        for _ in 0..<40 where uplink.monitor.standing == .up {
            try uplink.runToNextProbe()
            for probe in uplink.probes() {
                uplink.note(
                    uplink.monitor.probeNotSent(
                        probe.sequence, "cannot send a probe: No buffer space available",
                        at: uplink.now))
            }
        }
        #expect(
            uplink.declarations() == [
                .declare(
                    .down,
                    reason: """
                        12 probes lost within 0.9 s to 1.1.1.1, 9.9.9.9: \
                        cannot send a probe: No buffer space available
                        """)
            ])
    }

    @Test("a stall of ours cannot squeeze a burst into a moment")
    func stall() throws {
        var uplink = try trusted()
        uplink.answer = { _ in nil }
        try uplink.run(for: .milliseconds(300))
        #expect(uplink.probes().count == 5)
        // Answers may wait in the socket: only what is silent after the stall can prove anything.
        uplink.now += .seconds(60)
        uplink.note(uplink.monitor.timePassed(at: uplink.now))
        #expect(uplink.probes().count == 2)
        try uplink.run(for: .milliseconds(400))
        #expect(uplink.monitor.standing == .up)
        try uplink.run(for: .milliseconds(100))
        #expect(uplink.monitor.standing == .down)
    }

    @Test("the round-trip estimate is RFC 6298's, within its bounds")
    func estimate() {
        var estimate = RoundTripEstimate()
        let timeout = Duration.milliseconds(500)
        #expect(estimate.patience(atMost: timeout) == timeout)
        estimate.add(.milliseconds(80))
        #expect(estimate.patience(atMost: timeout) == .milliseconds(80 + 4 * 40))
        estimate.add(.milliseconds(120))
        // SRTT 7/8 · 80 + 1/8 · 120, RTTVAR 3/4 · 40 + 1/4 · 40
        #expect(estimate.patience(atMost: timeout) == .milliseconds(85 + 4 * 40))
        for _ in 0..<100 { estimate.add(.milliseconds(100)) }
        let settled = estimate.patience(atMost: timeout)
        #expect(settled > .milliseconds(119) && settled < .milliseconds(121))
        estimate.add(timeout)
        #expect(estimate.patience(atMost: timeout) == timeout)
        for _ in 0..<100 { estimate.add(.milliseconds(1)) }
        #expect(estimate.patience(atMost: timeout) == .milliseconds(60))
        #expect(estimate.patience(atMost: .milliseconds(50)) == .milliseconds(50))
    }
}

extension UplinkMonitor.Effect {
    fileprivate var standing: UplinkMonitor.Standing? {
        if case .declare(let standing, _) = self { standing } else { nil }
    }
}
