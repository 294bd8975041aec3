import Base
import Cloud
import TestSupport
import Testing

@Suite("The backlog's pace")
struct BacklogPaceTests {
    private func at(_ milliseconds: Int64) -> Instant {
        Instant(nanoseconds: milliseconds * 1_000_000)
    }

    @Test("the budget is held over time, whatever the messages' sizes")
    func budget() {
        var pace = BacklogPace(budget: 100_000)
        pace.connected(at: at(0))
        var generator = SeededGenerator(seed: 7)
        var (now, sent) = (Int64(0), 0)
        for id in 0..<2_000 as Range<UInt64> {
            #expect(pace.permission(at: at(now)) != .waitForConfirmation)
            if case .wait(let until) = pace.permission(at: at(now)) {
                now = (until.nanoseconds + 999_999) / 1_000_000
            }
            let bytes = Int.random(in: 100...10_000, using: &generator)
            pace.sent(id, bytes: bytes, at: at(now))
            pace.confirmed(id, at: at(now + 5))
            sent += bytes
        }
        let rate = Double(sent) / (Double(now) / 1_000)
        #expect((90_000...101_000).contains(rate), "\(rate) bytes a second")
    }

    /// A link of 50 kB/s and a budget of 1 MB/s: what is on its way stays below what delays live data by a
    /// second.
    @Test("a link slower than the budget: the window follows it")
    func slowLink() {
        var pace = BacklogPace(budget: 1_000_000)
        pace.connected(at: at(0))
        let bytesPerMillisecond = 50
        var free = Int64(0)
        var inFlight: [(id: UInt64, bytes: Int, arrives: Int64)] = []
        var (id, sent, queued) = (UInt64(0), 0, 0)
        for now in 0..<60_000 as Range<Int64> {
            while let first = inFlight.first, first.arrives <= now {
                inFlight.removeFirst()
                pace.confirmed(first.id, at: at(now))
            }
            while case .send(let allowed) = pace.permission(at: at(now)) {
                let bytes = min(allowed, 8_000)
                free = max(free, now) + Int64(bytes / bytesPerMillisecond)
                id += 1
                pace.sent(id, bytes: bytes, at: at(now))
                inFlight.append((id, bytes, free + 30))
                sent += bytes
            }
            if now > 5_000 { queued = max(queued, inFlight.reduce(0) { $0 + $1.bytes }) }
        }
        // Busy, but with less than half a second on its way.
        #expect(sent > 60_000 * bytesPerMillisecond * 8 / 10, "\(sent) bytes in a minute")
        #expect(queued < 500 * bytesPerMillisecond, "\(queued) bytes on their way")
    }

    @Test("confirmations of live data do not concern it")
    func others() {
        var pace = BacklogPace(budget: 1_000)
        let before = pace.window
        pace.confirmed(99, at: at(1))
        #expect(pace.window == before)
    }
}

@Suite("Coming back to a broker")
struct ReconnectPauseTests {
    /// When each of 10,000 routers tries, in milliseconds after they all lost the same broker.
    private func attempts(downFor down: Int64, pauses: () -> ReconnectPause) -> [Int64] {
        var generator = SeededGenerator(seed: 42)
        var tries: [Int64] = []
        for _ in 0..<10_000 {
            var (pause, now, lost) = (pauses(), Int64(0), true)
            repeat {
                now += Int64(
                    pause.failed(lostSession: lost, using: &generator).milliseconds.rounded())
                lost = false
                tries.append(now)
            } while now < down
        }
        return tries
    }

    private func busiestSecond(_ tries: [Int64]) -> Int {
        Dictionary(grouping: tries) { $0 / 1_000 }.values.map(\.count).max() ?? 0
    }

    @Test("10,000 routers lose the same broker: they come back spread out")
    func herd() {
        let pauses = {
            ReconnectPause(shortest: .seconds(1), spread: .seconds(10), longest: .seconds(60))
        }
        // Gone for a moment: evenly over 10 s.
        let moment = busiestSecond(attempts(downFor: 1, pauses: pauses))
        #expect((1_000...1_150).contains(moment), "\(moment) in a second")
        // Gone for five minutes: what comes in the busiest second after its return.
        let later = attempts(downFor: 300_000, pauses: pauses).filter { $0 >= 300_000 }
        #expect(busiestSecond(later) < 500, "\(busiestSecond(later)) in a second")
    }

    @Test("bounds double up to the longest, and begin anew after a success")
    func bounds() {
        var generator = SeededGenerator(seed: 1)
        var pause = ReconnectPause(
            shortest: .seconds(1), spread: .seconds(10), longest: .seconds(60))
        for bound in [1, 2, 4, 8, 16, 32, 60, 60] {
            let wait = pause.failed(lostSession: false, using: &generator)
            #expect(wait <= .seconds(bound))
        }
        pause.reset()
        #expect(pause.failed(lostSession: false, using: &generator) <= .seconds(1))
    }
}
