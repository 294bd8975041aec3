import Base
import Testing
import Uplinks

/// Lines that lose and delay, looked at once a second, with probes as often as the watch asks for them.
@Suite("Quality of an uplink")
struct QualityTests {
    private struct Line {
        var loss = 0.0
        var roundTrip = Duration.milliseconds(20)
        var window = ProbeWindow()
        var sequence: UInt16 = 0
    }

    private struct Play {
        var watch = QualityWatch(uplinks: 2, limits: .init())
        var lines = [Line(), Line()]
        var now = Instant(nanoseconds: 1_000_000_000)
        var assessments = [(until: Instant.boot, every: Duration.zero), (Instant.boot, .zero)]
        var carrying = 0
        var isBusy = false
        var declared: [(uplink: Int, isPoor: Bool, at: Instant, reason: String)] = []
        var random: SplitMix
        var targets = [MonitorDialogue.first, MonitorDialogue.second]
        /// Seconds between two probes while nothing is looked into.
        var spacing = 1
        /// Answers only so many probes a second.
        var limited: Set<IPv4Address> = []

        init(seed: UInt64) { random = SplitMix(state: seed) }

        mutating func run(seconds: Int) {
            for tick in 0..<(seconds * 16) {
                now += .microseconds(62_500)
                for uplink in lines.indices {
                    let (end, every) = assessments[uplink]
                    let isAssessing =
                        end > now && (every < .milliseconds(100) || tick.isMultiple(of: 2))
                    guard tick.isMultiple(of: 16 * spacing) || isAssessing else { continue }
                    probe(uplink, isAssessing: isAssessing)
                }
                guard tick.isMultiple(of: 16) else { continue }
                let effects = watch.look(
                    lines.map(\.window), isUp: [true, true], carrying: carrying,
                    isBusy: isBusy, at: now)
                for effect in effects {
                    switch effect {
                    case .assess(let uplink, let end, let every):
                        assessments[uplink] = (end, every)
                    case .declare(let uplink, let isPoor, let reason):
                        declared.append((uplink, isPoor, now, reason))
                        carrying = watch.isPoor(0) ? 1 : 0
                    }
                }
            }
        }

        private mutating func probe(_ uplink: Int, isAssessing: Bool) {
            lines[uplink].sequence &+= 1
            let sequence = lines[uplink].sequence
            let target = targets[Int(sequence) % targets.count]
            lines[uplink].window.sent(sequence, to: target, at: now)
            let isLost =
                Double.random(in: 0..<1, using: &random) < lines[uplink].loss
                || (limited.contains(target) && isAssessing
                    && Double.random(in: 0..<1, using: &random) < 0.8)
            if isLost {
                lines[uplink].window.lost(sequence)
            } else {
                _ = lines[uplink].window.answered(
                    sequence, from: target, at: now + lines[uplink].roundTrip)
            }
        }
    }

    @Test(
        "behaviour 4.6: 30 % loss for 20 s, a clean standby: left once, and back when clean",
        arguments: 1...20)
    func brownOut(seed: UInt64) throws {
        var play = Play(seed: seed)
        play.run(seconds: 60)
        play.lines[0].loss = 0.3
        let begin = play.now
        // Nearly always within 30 s: Tests/Simulation counts.
        play.run(seconds: 90)
        #expect(play.declared.count == 1)
        let left = try #require(play.declared.first)
        #expect(left.uplink == 0 && left.isPoor)
        #expect(left.at - begin >= .seconds(12) && left.at - begin <= .seconds(45))
        #expect(left.reason.contains("% of the probes lost over "))
        play.lines[0].loss = 0
        let clean = play.now
        play.run(seconds: 150)
        let back = try #require(play.declared.last)
        #expect(!back.isPoor && play.declared.count == 2)
        #expect(back.at - clean >= .seconds(30) && back.at - clean <= .seconds(75))
    }

    @Test("a line that is asked twice a minute is clean again, too")
    func farApart() throws {
        var play = Play(seed: 2)
        play.run(seconds: 60)
        play.lines[0].loss = 0.3
        play.run(seconds: 90)
        #expect(play.declared.map(\.isPoor) == [true])
        play.spacing = 30
        play.lines[0].loss = 0
        play.run(seconds: 300)
        #expect(play.declared.map(\.isPoor) == [true, false])
    }

    @Test("a line that is asked twice a minute is not held for what it lost an hour ago")
    func lostLongAgo() throws {
        var play = Play(seed: 2)
        play.run(seconds: 60)
        play.lines[0].loss = 0.3
        play.run(seconds: 90)
        play.spacing = 30
        play.lines[0].loss = 0.6
        play.run(seconds: 3600)
        #expect(play.declared.map(\.isPoor) == [true])
        play.lines[0].loss = 0
        play.run(seconds: 480)
        #expect(play.declared.map(\.isPoor) == [true, false])
    }

    @Test("behaviour 4.6: six times the usual time, the standby at half of it at most")
    func slow() throws {
        var play = Play(seed: 1)
        play.run(seconds: 60)
        play.lines[0].roundTrip = .milliseconds(200)
        play.run(seconds: 60)
        #expect(play.declared.map(\.uplink) == [0])
        #expect(play.declared[0].reason.hasPrefix("answers take 200 ms over 12 s, usually 2"))
    }

    @Test("10 % loss is no brown-out, for ten minutes on many lines", arguments: 1...20)
    func someLoss(seed: UInt64) {
        var play = Play(seed: seed)
        play.lines[0].loss = 0.1
        play.run(seconds: 600)
        #expect(play.declared.isEmpty)
    }

    @Test("a standby that is as bad is no reason to leave")
    func bothBad() {
        var play = Play(seed: 3)
        play.run(seconds: 30)
        play.lines[0].loss = 0.3
        play.lines[1].loss = 0.3
        play.run(seconds: 300)
        #expect(play.declared.isEmpty)
    }

    @Test("a full queue of our own doing is no fault of the line")
    func busy() {
        var play = Play(seed: 4)
        play.run(seconds: 60)
        play.isBusy = true
        play.lines[0].roundTrip = .milliseconds(2000)
        play.lines[0].loss = 0.3
        play.run(seconds: 120)
        #expect(play.declared.isEmpty)
    }

    @Test("a target that answers but so many pings is not the line's loss")
    func limitedTarget() {
        var play = Play(seed: 5)
        play.limited = [MonitorDialogue.first]
        play.run(seconds: 20)
        play.lines[0].loss = 0.05
        play.run(seconds: 300)
        #expect(play.declared.isEmpty)
    }

    @Test("a measure is of the newest probes, to the best target; late answers heal")
    func measure() {
        var window = ProbeWindow()
        let begin = Instant(nanoseconds: 1_000_000_000)
        for number in UInt16(0)..<20 {
            let sent = begin + .milliseconds(Int64(number) * 100)
            let target = number.isMultiple(of: 2) ? MonitorDialogue.first : MonitorDialogue.second
            window.sent(number, to: target, at: sent)
            if number.isMultiple(of: 2) {
                _ = window.answered(number, from: target, at: sent + .milliseconds(30))
            } else {
                window.lost(number)
            }
        }
        let now = begin + .seconds(2)
        #expect(
            window.measure(from: begin, at: now)
                == QualityMeasure(probes: 10, lost: 0, lostOfAll: 10, roundTrip: .milliseconds(30)))
        #expect(window.measure(from: begin, last: 4, at: now).probes == 2)
        #expect(window.silentTargets(at: now) == [MonitorDialogue.second])
        _ = window.answered(19, from: MonitorDialogue.second, at: now)
        #expect(window.silentTargets(at: now).isEmpty)
        #expect(window.lossPercent == 45)
        #expect(window.history.count == 20)
    }
}
