import Base
import Testing
import Uplinks
import Weather

/// What a burst of probes is for: silence is believed soon, and bad luck is not taken for silence.
@Suite("Suspicion on a lossy line")
struct SuspicionTests {
    private func limits(
        interval: Duration = .seconds(1), timeout: Duration = .milliseconds(500),
        successes: Int = 5
    ) -> UplinkMonitor.Limits {
        var limits = UplinkWeather.shipped
        limits.interval = interval
        limits.timeout = timeout
        limits.successes = successes
        return limits
    }

    private func line(_ seed: Int, _ limits: UplinkMonitor.Limits) -> LossyLine {
        LossyLine(seed: UInt64(seed), limits: limits)
    }

    /// Ten minutes hold at most 600 regular probes, and each makes a false verdict with loss¹².
    @Test(
        "behaviour 4.2: random loss is no failure, ten minutes on many lines",
        arguments: [(0.1, 200), (0.2, 200), (0.3, 1000)])
    func randomLoss(loss: Double, lines: Int) {
        var falls = 0
        for seed in 1...lines {
            var line = line(seed, limits())
            line.run(for: .seconds(3))
            line.loss = loss
            line.run(for: .seconds(600))
            falls += line.fallen.count
            let perSecond = Double(line.probesSent) / 603
            #expect(perSecond < 1.75, "seed \(seed): \(perSecond) probes a second")
        }
        // Expected: 600 · 0.3¹² = 3.2e-4 a line, so 0.3 in all; at 20 % 5e-4 in all.
        #expect(falls <= (loss < 0.3 ? 0 : 2), "\(falls) false verdicts in \(lines) lines")
    }

    @Test("without bursts that loss makes false verdicts: the test can fail")
    func randomLossWithoutBursts() {
        var limits = limits()
        limits.burst = false
        var falls = 0
        for seed in 1...20 {
            var line = line(seed, limits)
            line.loss = 0.3
            line.run(for: .seconds(600))
            falls += line.fallen.count
        }
        #expect(falls > 20)
    }

    @Test("a burst ends in a false verdict as rarely as its eleven probes are all lost")
    func rarity() {
        // So much loss that it can be counted.
        let loss = 0.6
        var bursts = 0
        var falls = 0
        for seed in 1...300 {
            var line = line(seed, limits(successes: 1))
            line.loss = loss
            line.run(for: .seconds(600))
            bursts += line.monitor.bursts
            falls += line.fallen.count
        }
        let expected = (0..<11).reduce(Double(bursts)) { product, _ in product * loss }
        #expect(expected > 150)
        #expect(abs(Double(falls) - expected) < 0.3 * expected, "\(falls), not \(expected)")
    }

    @Test(
        "a silent failure is noticed within the interval and 0.9 s",
        arguments: [(1, 0.0), (5, 0.0), (30, 0.0), (1, 0.2), (5, 0.2)])
    func silence(interval: Int, loss: Double) throws {
        var delays: [Duration] = []
        for seed in 1...300 {
            var line = line(seed, limits(interval: .seconds(interval)))
            line.run(for: .seconds(3 * interval))
            line.loss = loss
            line.run(for: .seconds(20 * interval))
            // Cut in every phase of the interval.
            let phase = Duration.milliseconds(seed * interval * 1000 / 300)
            let begin = line.now.next(multipleOf: .seconds(interval)) + phase
            line.run(for: begin - line.now)
            #expect(line.monitor.standing == .up)
            line.isCut = true
            line.run(for: .seconds(interval + 3))
            delays.append(try #require(line.fallen.first, "seed \(seed)") - begin)
        }
        delays.sort()
        // A suspicion that was cleared just before costs no more than the wait for the next regular probe.
        let longest = Duration.seconds(interval) + .milliseconds(900)
        #expect(delays[299] <= longest, "at most \(delays[299])")
        let usual = Duration.milliseconds(interval * 500 + 1000)
        #expect(delays[150] <= usual, "median \(delays[150])")
    }

    @Test(
        "a queue that fills at once is no failure, as long as answers come",
        arguments: [(500, 800), (1000, 800), (1000, 990), (500, 490)])
    func bufferbloat(timeout: Int, delay: Int) {
        var falls = 0
        for seed in 1...200 {
            let limits = limits(timeout: .milliseconds(timeout))
            var line = line(seed, limits)
            line.run(for: .seconds(20) + .milliseconds(seed * 7))
            for _ in 0..<5 {
                // With the jitter, which is a tenth.
                line.roundTrip = .milliseconds(delay * 10 / 11)
                line.run(for: .seconds(30))
                line.roundTrip = .milliseconds(5)
                line.run(for: .seconds(30))
            }
            falls += line.fallen.count
        }
        #expect(falls == 0)
    }

    @Test("a dead target costs one burst, not the uplink, nor a burst each interval")
    func deadTarget() {
        var falls = 0
        var bursts = 0
        for seed in 1...100 {
            var line = line(seed, limits())
            line.run(for: .seconds(10))
            line.dead = [limits().targets[0]]
            line.run(for: .seconds(300))
            falls += line.fallen.count
            bursts += line.monitor.bursts
        }
        #expect(falls == 0)
        #expect(bursts <= 100)
    }

    @Test("a saturated line with loss is probed little more than another")
    func pace() {
        var line = line(1, limits())
        line.roundTrip = .milliseconds(700)
        line.loss = 0.3
        line.run(for: .seconds(600))
        // Each interval at most one burst: eleven and the regular one.
        #expect(line.probesSent < 600 * 7, "\(line.probesSent)")
    }
}
