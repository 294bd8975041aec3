import Base
import Testing
import Uplinks

@Suite("Traffic as evidence")
struct TrafficTests {
    private let begin = Instant(nanoseconds: 5_000_000_000)

    private func look(_ watch: inout TrafficWatch, _ tick: Int, out: UInt64, back: UInt64)
        -> TrafficWatch.Finding
    {
        watch.counted(
            TrafficCount(packetsOut: out, packetsIn: back), at: begin + TrafficWatch.period * tick)
    }

    @Test("packets out and none in for a moment are a silence; replies end it")
    func silence() {
        var watch = TrafficWatch()
        #expect(look(&watch, 0, out: 100, back: 100) == .nothing)
        #expect(look(&watch, 1, out: 112, back: 112) == .heard)
        #expect(look(&watch, 2, out: 125, back: 112) == .nothing)
        #expect(
            look(&watch, 3, out: 137, back: 112) == .silent(since: begin + TrafficWatch.period))
        #expect(look(&watch, 4, out: 150, back: 113) == .heard)
    }

    @Test("a line at rest is not silent, whatever time passes before the first packet")
    func rest() {
        var watch = TrafficWatch()
        for tick in 0..<100 { #expect(look(&watch, tick, out: 7, back: 7) == .nothing) }
        #expect(look(&watch, 100, out: 12, back: 7) == .nothing)
        #expect(
            look(&watch, 101, out: 12, back: 7) == .silent(since: begin + TrafficWatch.period * 99))
    }

    @Test("behaviour 4.3: it is looked at often while more than a few packets go out, else seldom")
    func pace() {
        var watch = TrafficWatch()
        func wait(_ tick: Int, out: UInt64, back: UInt64, often: Bool = true) -> Duration {
            _ = look(&watch, tick, out: out, back: back)
            let now = begin + TrafficWatch.period * tick
            return watch.nextLook(after: now, isProbedOften: often) - now
        }
        #expect(wait(0, out: 0, back: 0) == .milliseconds(125))
        #expect(wait(4, out: 5, back: 5) == .milliseconds(125))
        #expect(wait(8, out: 5, back: 5) == .milliseconds(500))
        #expect(wait(12, out: 9, back: 5) == .milliseconds(125))
        #expect(wait(13, out: 9, back: 5) == .milliseconds(125))
        #expect(wait(14, out: 11, back: 6) == .milliseconds(125))
        // A probe, and a reading for the cloud: four in half a second.
        #expect(wait(16, out: 13, back: 8) == .milliseconds(500))
        #expect(wait(20, out: 17, back: 12) == .milliseconds(500))
        #expect(wait(24, out: 22, back: 16) == .milliseconds(125))
        #expect(wait(27, out: 30, back: 24) == .milliseconds(125))
        #expect(wait(28, out: 31, back: 25) == .milliseconds(500))
        // With probes further apart the traffic is what tells of a silence.
        #expect(wait(32, out: 33, back: 27, often: false) == .milliseconds(125))
        #expect(wait(36, out: 33, back: 27, often: false) == .milliseconds(500))
    }

    @Test("what went out since a look of long ago, went out just now")
    func lateLook() {
        var watch = TrafficWatch()
        _ = look(&watch, 0, out: 0, back: 0)
        #expect(look(&watch, 4, out: 9, back: 0) == .nothing)
        #expect(look(&watch, 5, out: 9, back: 0) == .silent(since: begin + TrafficWatch.period * 3))
    }

    @Test("counters that begin anew tell nothing")
    func reset() {
        var watch = TrafficWatch()
        _ = look(&watch, 0, out: 1000, back: 1000)
        #expect(look(&watch, 1, out: 3, back: 0) == .nothing)
        #expect(look(&watch, 2, out: 5, back: 0) == .nothing)
    }

    @Test("behaviour 4.3: a silence of traffic starts a burst at any interval: down within 1.2 s")
    func startsBurst() throws {
        var uplink = BurstDialogue(interval: .seconds(30))
        try uplink.run(for: .seconds(40))
        _ = uplink.declarations()
        uplink.answer = { _ in nil }
        let cut = uplink.now
        try uplink.run(for: .milliseconds(300))
        uplink.monitor.trafficSilent(since: cut, at: uplink.now)
        try uplink.run(for: .milliseconds(900))
        #expect(uplink.declarations().count == 1)
        #expect(uplink.monitor.standing == .down)
        #expect(uplink.monitor.reason.hasPrefix("12 probes lost within 1.0 s"))
    }

    @Test(
        "behaviour 4.3: fast probes: down within 0.5 s of the last reply, whenever that came",
        arguments: 0..<25)
    func fast(phase: Int) throws {
        var uplink = BurstDialogue(
            interval: .milliseconds(250), timeout: .milliseconds(200), confirm: .milliseconds(350))
        try uplink.run(for: .seconds(10) + .milliseconds(phase * 10))
        uplink.answer = { _ in nil }
        let cut = uplink.now
        // The looks at the traffic that the service takes: each 125 ms, and with each probe of a burst.
        var heard = false
        var look = cut + .milliseconds(phase * 7 % 125)
        while uplink.now - cut < .milliseconds(700), uplink.monitor.standing == .up {
            let next = min(look, uplink.monitor.nextWakeUp ?? look)
            try uplink.run(for: max(.zero, next - uplink.now) + .nanoseconds(1))
            if !heard {
                heard = true
                uplink.monitor.trafficHeard(at: uplink.now)
            }
            guard uplink.now >= look else { continue }
            if uplink.now - cut >= .milliseconds(100) {
                uplink.monitor.trafficSilent(since: cut, at: uplink.now)
            }
            look += TrafficWatch.period
        }
        #expect(uplink.monitor.standing == .down)
        #expect(uplink.now - cut <= .milliseconds(530))
    }

    @Test("behaviour 4.2: only a silence of more than a moment is grave")
    func grave() throws {
        var uplink = BurstDialogue(interval: .seconds(5))
        try uplink.run(for: .seconds(12))
        uplink.monitor.trafficSilent(since: uplink.now - .milliseconds(125), at: uplink.now)
        #expect(uplink.monitor.isSuspected && !uplink.monitor.isGravelySuspected)
        try uplink.run(for: .milliseconds(100))
        #expect(!uplink.monitor.isSuspected)
        uplink.answer = { _ in nil }
        uplink.monitor.trafficSilent(since: uplink.now, at: uplink.now + .seconds(1))
        try uplink.run(for: .seconds(1) + .milliseconds(100))
        #expect(uplink.monitor.isGravelySuspected)
    }

    @Test("a silence of one-way traffic costs a probe a second, and no verdict")
    func oneWay() throws {
        var uplink = BurstDialogue(interval: .seconds(30))
        try uplink.run(for: .seconds(40))
        _ = uplink.probes()
        for _ in 0..<80 {
            uplink.monitor.trafficSilent(since: uplink.now, at: uplink.now)
            try uplink.run(for: .milliseconds(125))
        }
        #expect(uplink.probes().count <= 12)
        #expect(uplink.monitor.standing == .up)
    }

    @Test("behaviour 4.3: while replies to traffic come in no probes are missed")
    func trafficProves() throws {
        var uplink = BurstDialogue(interval: .seconds(1))
        try uplink.run(for: .seconds(5))
        uplink.answer = { _ in nil }
        for _ in 0..<100 {
            uplink.monitor.trafficHeard(at: uplink.now)
            try uplink.run(for: .milliseconds(250))
        }
        #expect(uplink.monitor.standing == .up)
        try uplink.run(for: .seconds(2))
        #expect(uplink.monitor.standing == .down)
    }

    @Test("behaviour 4.2: a stall of 2 s does not take a cellular uplink down", arguments: 0..<40)
    func cellularStall(phase: Int) throws {
        var uplink = BurstDialogue(interval: .seconds(1), confirm: .milliseconds(2500))
        try uplink.run(for: .seconds(10) + .milliseconds(phase * 25))
        let begin = uplink.now
        uplink.answer = { probe in
            probe.sentAt >= begin && probe.sentAt < begin + .seconds(2)
                ? nil : BurstDialogue.rtt
        }
        try uplink.run(for: .seconds(10))
        #expect(uplink.monitor.standing == .up)
        #expect(uplink.declarations().count <= 2)
    }

    @Test("busy is a line that carries most of what it ever did, and not a little")
    func busy() {
        var watch = TrafficWatch()
        func second(_ number: Int, _ bytes: UInt64) -> Bool {
            _ = watch.counted(
                TrafficCount(packetsOut: 1, packetsIn: 1, bytes: bytes),
                at: begin + .seconds(number))
            return watch.isBusy
        }
        #expect(!second(0, 0))
        #expect(!second(1, 10_000))
        #expect(second(2, 260_000))
        #expect(second(3, 500_000))
        #expect(!second(4, 510_000))
    }
}
