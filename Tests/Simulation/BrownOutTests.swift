import Base
import Glibc
import TestSupport
import Testing
import Uplinks
import Weather

/// How soon a line that loses much is left for a clean one, and how rarely one that loses little: the production machines on
/// two lines by a virtual clock. `bench/brownout.sh` plays thousands.
@Suite("Brown-outs by seed")
struct BrownOutTests {
    /// When the preferred line is called poor, after its loss begins; nil: not within `duration`.
    private func left(_ seed: Int, loss: Double, within duration: Duration) -> Duration? {
        // The same seed for both: the same clock.
        var lines = (0..<2).map { _ in
            LossyLine(seed: UInt64(seed), limits: UplinkWeather.shipped)
        }
        var watch = QualityWatch(uplinks: 2, limits: .init())
        /// One second, and a look.
        func step() -> Bool {
            for line in lines.indices { lines[line].run(for: .seconds(1)) }
            let effects = watch.look(
                lines.map(\.monitor.window), isUp: lines.map { $0.monitor.standing == .up },
                carrying: 0, isBusy: false, at: lines[0].now)
            for effect in effects {
                if case .assess(let line, let end, let spacing) = effect {
                    lines[line].assess(until: end, every: spacing)
                }
            }
            return watch.isPoor(0)
        }
        for _ in 0..<20 { _ = step() }
        // At any moment between two looks.
        lines[0].loss = loss
        let begin = lines[0].now
        while lines[0].now - begin < duration {
            if step() { return lines[0].now - begin }
        }
        return nil
    }

    private static var cellular: UplinkMonitor.Limits {
        var limits = UplinkWeather.shipped
        limits.confirm = .milliseconds(2500)
        return limits
    }

    private var asked: Int? {
        getenv("DRAWBRIDGE_BROWNOUTS").flatMap { Int(String(cString: $0)) }
    }

    @Test(
        "behaviour 4.6: a line that loses much is left within 30 s, nearly always",
        arguments: [(20, 0.85), (30, 0.95)])
    func leaves(percent: Int, share: Double) {
        let runs = asked ?? 100
        let times = (1...runs).compactMap {
            left($0, loss: Double(percent) / 100, within: .seconds(30))
        }
        print("brownout: left within 30 s | \(percent) % | \(times.count) of \(runs)")
        #expect(Double(times.count) >= share * Double(runs), "\(times.count) of \(runs)")
        #expect(times.allSatisfy { $0 >= QualityWatch.troubleMin })
    }

    @Test("behaviour 4.6: a line that loses little is not left in ten minutes", arguments: [5, 10])
    func stays(percent: Int) {
        let runs = asked ?? 10
        let times = (1...runs).compactMap {
            left($0, loss: Double(percent) / 100, within: .seconds(600))
        }
        print("brownout: left within ten minutes | \(percent) % | \(times.count) of \(runs)")
        #expect(times.count * 100 <= runs * 2, "\(times.count) of \(runs)")
    }

    @Test("a modem's stalls are no brown-out", arguments: 1...20)
    func stalls(seed: Int) {
        var line = LossyLine(seed: UInt64(seed), limits: Self.cellular)
        var other = LossyLine(seed: UInt64(seed), limits: Self.cellular)
        var watch = QualityWatch(uplinks: 2, limits: .init())
        for second in 0..<300 {
            // Half a second to two, fifteen apart, in any phase.
            let stall = [500, 1000, 2000, 1500][second / 15 % 4] + seed * 7
            let phase = second % 15 * 1000
            for tick in 0..<20 {
                line.isCut = second >= 30 && phase + tick * 50 < stall
                line.run(for: .milliseconds(50))
            }
            other.run(for: .seconds(1))
            let effects = watch.look(
                [line.monitor.window, other.monitor.window], isUp: [true, true], carrying: 0,
                isBusy: false, at: line.now)
            for effect in effects {
                switch effect {
                case .assess(0, let end, let spacing): line.assess(until: end, every: spacing)
                case .assess(_, let end, let spacing): other.assess(until: end, every: spacing)
                case .declare(_, _, let reason): Issue.record("poor: \(reason)")
                }
            }
            #expect(line.fallen.isEmpty)
        }
    }
}
