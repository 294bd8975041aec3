import Base
import Testing
import Uplinks

@Suite("Uplink weather")
struct UplinkWeatherTests {
    /// After the faults stop: M answers at one a second, after a probe that may just have been lost.
    static let patience = UplinkWeather.limits.interval * (UplinkWeather.limits.successes + 2)

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
            try weather.run(for: Self.patience)
            #expect(weather.monitors.allSatisfy { $0.standing == .up }, "seed \(seed)")
            #expect(weather.selector.carrying == 0, "seed \(seed): the preferred one must carry")
        } catch {
            Issue.record("seed \(seed): \(error)")
        }
    }
}
