import Base
import Glibc
import TestSupport
import Testing
import Uplinks

@Suite("Uplink weather")
struct UplinkWeatherTests {
    /// How many days the long run plays, from which seed: `DRAWBRIDGE_WEATHER_DAYS`, `DRAWBRIDGE_WEATHER_SEED`.
    private static func number(_ name: String, or fallback: Int) -> Int {
        getenv("DRAWBRIDGE_WEATHER_" + name).flatMap { Int(String(cString: $0)) } ?? fallback
    }

    @Test("days of weather of every kind, each by its seed, keep all promises")
    func days() throws {
        let first = Self.number("SEED", or: 50_000)
        let count = Self.number("DAYS", or: 1)
        for seed in first..<(first + count) {
            var random = SeededGenerator(seed: UInt64(seed))
            var faults = UplinkWeather.Faults()
            faults.lossMax = Double.random(in: 0...0.6, using: &random)
            faults.outageEvery = .seconds(Int64.random(in: 60...7200, using: &random))
            faults.outageFor = .seconds(Int64.random(in: 1...1200, using: &random))
            faults.unplugEvery = .seconds(Int64.random(in: 8...7200, using: &random))
            faults.unplugFor = .seconds(Int64.random(in: 1...600, using: &random))
            faults.meddleEvery = .seconds(Int64.random(in: 30...3600, using: &random))
            faults.delayMax = .milliseconds(Int64.random(in: 20...5000, using: &random))
            faults.stallEvery = .seconds(Int64.random(in: 5...1000, using: &random))
            faults.stallFor = .milliseconds(Int64.random(in: 100...3000, using: &random))
            faults.targetDiesEvery = .seconds(Int64.random(in: 60...7200, using: &random))
            faults.interval = .seconds([1, 2, 5, 10, 30][Int.random(in: 0..<5, using: &random)])
            try play(seed: UInt64(seed), for: .seconds(86400), faults)
        }
        if count > 1 { print("\(count) days of weather from seed \(first) keep all promises") }
    }

    @Test("ten minutes of bad weather keep all promises", arguments: 1...200)
    func minutes(seed: Int) throws {
        try play(seed: UInt64(seed), for: .seconds(600), UplinkWeather.Faults())
    }

    @Test("so they do without bursts", arguments: 3001...3100)
    func minutesWithoutBursts(seed: Int) throws {
        try play(seed: UInt64(seed), for: .seconds(600), UplinkWeather.Faults(), burst: false)
    }

    @Test("a day of weather keeps all promises", arguments: [1001])
    func day(seed: Int) throws {
        var faults = UplinkWeather.Faults()
        faults.lossMax = 0.6
        faults.outageEvery = .seconds(3600)
        faults.outageFor = .seconds(600)
        try play(seed: UInt64(seed), for: .seconds(86400), faults)
    }

    @Test("carriers that flap every few seconds", arguments: 2001...2010)
    func flapping(seed: Int) throws {
        var faults = UplinkWeather.Faults()
        faults.unplugEvery = .seconds(8)
        faults.unplugFor = .seconds(2)
        faults.meddleEvery = .seconds(5)
        try play(seed: UInt64(seed), for: .seconds(600), faults)
    }

    @Test("the same seed plays the same weather")
    func replays() throws {
        func figures(seed: UInt64) throws -> [Int] {
            var weather = try UplinkWeather(seed: seed)
            try weather.run(for: .seconds(3600))
            return [weather.eventsHandled, weather.selector.switches]
        }
        #expect(try figures(seed: 7) == figures(seed: 7))
        #expect(try figures(seed: 7) != figures(seed: 8))
    }

    private func play(
        seed: UInt64, for duration: Duration, _ faults: UplinkWeather.Faults, burst: Bool = true
    ) throws {
        do throws(Violation) {
            var weather = try UplinkWeather(seed: seed, faults: faults, burst: burst)
            try weather.run(for: duration)
            #expect(weather.eventsHandled > 1000, "seed \(seed): the weather did not play")
            try weather.calmDown()
            try weather.run(for: faults.interval * (UplinkWeather.limits.successes + 3))
            #expect(weather.monitors.allSatisfy { $0.standing == .up }, "seed \(seed)")
            // The longest hold, and it is back.
            try weather.run(for: .seconds(601))
            #expect(weather.selector.carrying == 0, "seed \(seed): the preferred one must carry")
        } catch {
            Issue.record("seed \(seed): \(error)")
        }
    }
}
