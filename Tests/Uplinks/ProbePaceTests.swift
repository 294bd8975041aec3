import Base
import TestSupport
import Testing

@testable import Uplinks

@Suite("Probe pace")
struct ProbePaceTests {
    /// 30 days.
    static let november = CivilTime(seconds: 1_793_491_200)

    private func pace(
        used: Int64 = 0, at seconds: Int64 = 0, usual: Duration = .seconds(1)
    ) -> ProbePace {
        ProbePace(
            usual: usual, budget: 5_000_000, used: used, probe: 72,
            month: MonthPart(CivilTime(seconds: 1_793_491_200 + seconds)))
    }

    @Test(
        "behaviour 4.11: whoever waits for its turn gets what is left, spread over the rest of the month"
    )
    func standby() {
        #expect(Self.november.description == "2026-11-01 00:00")
        #expect(pace().interval(.standby) == .milliseconds(37_325))
        // Half of the month, a tenth of the budget: faster, but never faster than five intervals.
        #expect(pace(used: 500_000, at: 15 * 86_400).interval(.standby) == .milliseconds(20_736))
        #expect(pace(at: 30 * 86_400 - 60).interval(.standby) == .seconds(5))
        // Probing never stops.
        #expect(pace(used: 9_000_000, at: 86_400).interval(.standby) == ProbePace.slowest)
        #expect(
            pace(used: 9_000_000, at: 86_400, usual: .seconds(600)).interval(.standby)
                == .seconds(3000))
    }

    @Test("behaviour 4.11: the uplink that carries spends what it has in hand")
    func carrying() {
        #expect(pace().interval(.carrying(isProven: false)) == .seconds(1))
        #expect(pace().interval(.carrying(isProven: true)) == .seconds(5))
        let half = pace(used: 2_500_000)
        #expect(half.interval(.carrying(isProven: false)) == half.interval(.standby))
        // In between it is never longer for one who has used less.
        var last = Duration.zero
        for used in stride(from: 0, through: 6_000_000, by: 100_000) {
            let next = pace(used: Int64(used)).interval(.carrying(isProven: false))
            #expect(next >= last)
            last = next
        }
        #expect(last == ProbePace.slowest)
    }

    @Test("behaviour 4.11: a silent uplink is asked at once, then less and less often")
    func silent() {
        #expect(pace().interval(.silent(.zero)) == .seconds(1))
        #expect(pace().interval(.silent(.seconds(60))) == .seconds(3))
        #expect(pace().interval(.silent(.seconds(86_400))) == .milliseconds(37_325))
    }

    @Test("behaviour 4.11: six probes a minute tell whether a bad line is good again")
    func poor() {
        #expect(pace().interval(.poor) == .seconds(10))
        #expect(pace().allowsCloserLook)
        #expect(pace(used: 3_000_000).interval(.poor) == pace(used: 3_000_000).interval(.standby))
        #expect(!pace(used: 3_000_000).allowsCloserLook)
    }

    @Test(
        "behaviour 4.11: whatever it is used for, the month ends within its budget",
        arguments: [0.0, 0.02, 0.5, 1.0], [29, 30, 31])
    func months(carriedShare: Double, days: Int) {
        var generator = SeededGenerator(seed: 7)
        let length = Int64(days) * 86_400
        var (used, now): (Int64, Int64) = (0, 0)
        var slowest = Duration.zero
        while now < length {
            var month = MonthPart(CivilTime(seconds: 0))
            month.seconds = length
            month.secondsElapsed = now
            let pace = ProbePace(
                usual: .seconds(1), budget: 5_000_000, used: used, probe: 72, month: month)
            // It carries for hours at a time.
            generator = SeededGenerator(seed: UInt64(now / 14_400))
            let carries = Double.random(in: 0..<1, using: &generator) < carriedShare
            let interval = pace.interval(carries ? .carrying(isProven: false) : .standby)
            // In its last hours the rest is spread as if there was an hour left.
            if length - now > 7200 { slowest = max(slowest, interval) }
            used += 72
            now += max(1, interval.nanoseconds / 1_000_000_000)
        }
        #expect(used <= 5_100_000)
        // And it is used: nobody is probed more seldom than needed.
        #expect(used > 4_000_000)
        #expect(slowest < .seconds(90))
    }
}

@Suite("Probe ledger")
struct ProbeLedgerTests {
    private func month(_ text: Substring) throws -> ProbeLedger.Month {
        try #require(ProbeLedger.Month(text))
    }

    @Test(
        "behaviour 4.11: a clock that is set forward and back loses nothing, and forgives nothing")
    func clockSteps() throws {
        let (november, far) = (try month("2026-11"), try month("2031-01"))
        var ledger = ProbeLedger()
        ledger.add(1000, to: "lte", in: november)
        ledger.add(10, to: "lte", in: far)
        ledger.add(200, to: "lte", in: november)
        #expect(ledger.used(by: "lte", in: november) == 1200)
        #expect(ledger.used(by: "lte", in: far) == 10)
        // To and fro, for hours.
        for _ in 0..<1000 {
            ledger.add(1, to: "lte", in: far)
            ledger.add(1, to: "lte", in: november)
        }
        #expect(ledger.used(by: "lte", in: november) == 2200)
        #expect(ledger.used(by: "wifi", in: november) == 0)
    }

    @Test("behaviour 4.14: what was counted before the file was read is added to it")
    func sum() throws {
        let november = try month("2026-11")
        var (kept, early) = (ProbeLedger(file: "2026-11 1000 lte\n2026-10 5 lte\n"), ProbeLedger())
        kept.add(early)
        #expect(kept.used(by: "lte", in: november) == 1000)
        early.add(200, to: "lte", in: november)
        early.add(30, to: "wifi", in: november)
        kept.add(early)
        #expect(kept.used(by: "lte", in: november) == 1200)
        #expect(kept.used(by: "wifi", in: november) == 30)
        #expect(kept.used(by: "lte", in: try month("2026-10")) == 5)
    }

    @Test(
        "behaviour 4.11: before the clock is right it counts on in the last month, or in the first that comes"
    )
    func noClock() throws {
        let november = try month("2026-11")
        var ledger = ProbeLedger()
        ledger.add(70, to: "lte", in: nil)
        #expect(ledger.used(by: "lte", in: november) == 70)
        ledger.add(30, to: "lte", in: november)
        ledger.add(5, to: "lte", in: nil)
        #expect(ledger.used(by: "lte", in: november) == 105)
        #expect(ledger.used(by: "lte", in: nil) == 105)
    }

    @Test("months and uplinks are bounded; what was written last stays")
    func bounds() throws {
        var ledger = ProbeLedger()
        for number in 0..<100 {
            for month in 1...9 {
                ledger.add(number, to: "u\(number)", in: try self.month("2026-0\(month)"))
            }
        }
        let lines = String(decoding: ledger.file, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == ProbeLedger.entriesMax)
        #expect(lines.last == "2026-09 99 u99")
        #expect(ledger.used(by: "u99", in: try month("2026-05")) == 0)
        #expect(ledger.file.count <= ProbeLedger.fileBytesMax)
        ledger.add(.max, to: "u99", in: try month("2026-09"))
        ledger.add(.max, to: "u99", in: try month("2026-09"))
        #expect(ledger.used(by: "u99", in: try month("2026-09")) == .max)
    }

    @Test("the file reads back, and damage costs no more than the damaged lines")
    func file() throws {
        var ledger = ProbeLedger()
        ledger.add(123, to: "lte", in: nil)
        ledger.add(456, to: "sat", in: try month("2026-12"))
        let text = String(decoding: ledger.file, as: UTF8.self)
        #expect(text == "- 123 lte\n2026-12 456 sat\n")
        #expect(ProbeLedger(file: text) == ledger)
        #expect(
            ProbeLedger(file: "2026-13 1 a\nx\n- 123 lte\n- -5 b\n2026-12 456 sat\n2026-12 9 sat")
                == ledger)
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<2000 {
            var bytes = ledger.file
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = .random(
                    in: .min ... .max, using: &generator)
            }
            var damaged = ProbeLedger(file: String(decoding: bytes, as: UTF8.self))
            damaged.add(1, to: "lte", in: try month("2026-12"))
            #expect(damaged.used(by: "lte", in: try month("2026-12")) > 0)
        }
    }

    @Test(
        "behaviour 4.11: what is probed at a pace still follows up a loss, and a recovery, at once")
    func monitor() throws {
        var uplink = MonitorDialogue(failures: 3, successes: 2)
        try uplink.answered()
        uplink.monitor.pace = .seconds(37)
        var before = uplink.now
        try uplink.lost()
        #expect(uplink.now - before > .seconds(36))
        before = uplink.now
        try uplink.lost()
        try uplink.lost()
        #expect(uplink.now - before <= .seconds(2))
        #expect(uplink.monitor.standing == .down)
        before = uplink.now
        try uplink.answered()
        #expect(uplink.now - before > .seconds(36))
        before = uplink.now
        try uplink.answered()
        #expect(uplink.monitor.standing == .up)
        #expect(uplink.now - before <= .seconds(1))
        // Faster again, without waiting for the end of the long interval.
        try uplink.answered()
        uplink.monitor.pace = .zero
        before = uplink.now
        try uplink.answered()
        #expect(uplink.now - before <= .seconds(1))
    }
}
