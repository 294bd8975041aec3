import Base
import Testing
import Uplinks
import Weather

@Suite("Uplink weather")
struct UplinkWeatherTests {
    /// 1159: probes 30 s apart, and an uplink that once was poor.
    @Test(
        "days of weather of every kind, each by its seed, keep all promises",
        arguments: [1, 2, 3, 4, 1159])
    func days(seed: Int) throws {
        do throws(Violation) {
            try UplinkWeather.playDay(seed: UInt64(seed))
        } catch {
            Issue.record("seed \(seed): \(error)")
        }
    }

    @Test("ten minutes of bad weather keep all promises", arguments: 1...200)
    func minutes(seed: Int) throws {
        try play(seed: UInt64(seed), for: .seconds(600), Faults())
    }

    @Test("so they do without bursts", arguments: 3001...3100)
    func minutesWithoutBursts(seed: Int) throws {
        try play(seed: UInt64(seed), for: .seconds(600), Faults(), burst: false)
    }

    @Test("a day of weather keeps all promises", arguments: [1001])
    func day(seed: Int) throws {
        var faults = Faults()
        faults.lossMax = 0.6
        faults[.outage] = .init(every: .seconds(3600), lasts: .seconds(600))
        try play(seed: UInt64(seed), for: .seconds(86400), faults)
    }

    @Test("carriers that flap every few seconds", arguments: 2001...2010)
    func flapping(seed: Int) throws {
        var faults = Faults()
        faults[.unplug] = .init(every: .seconds(8), lasts: .seconds(2))
        faults.meddleEvery = .seconds(5)
        try play(seed: UInt64(seed), for: .seconds(600), faults)
    }

    @Test("login pages that come and go beside all else", arguments: 4001...4060)
    func loginPages(seed: Int) throws {
        var faults = Faults()
        faults[.captive] = .init(every: .seconds(400), lasts: .seconds(200))
        try play(seed: UInt64(seed), for: .seconds(3600), faults)
    }

    @Test("a login page is found, left, and found to be gone")
    func loginPagesAreFound() throws {
        var faults = Faults()
        for fault in Fault.allCases { faults[fault] = nil }
        faults[.captive] = .init(every: .seconds(2400), lasts: .seconds(1200))
        faults.lossMax = 0.02
        var weather = try UplinkWeather.play(seed: 5, for: .seconds(86400), faults)
        #expect(weather.loginsFound > 20)
        #expect(weather.switches > 5)
        try weather.run(for: .seconds(600))
        #expect(weather.selector.carrying == 0)
    }

    @Test("the same seed plays the same weather")
    func replays() throws {
        func digest(seed: UInt64) throws -> UInt64 {
            var weather = try UplinkWeather(seed: seed)
            try weather.run(for: .seconds(3600))
            return weather.digest
        }
        #expect(try digest(seed: 7) == digest(seed: 7))
        #expect(try digest(seed: 7) != digest(seed: 8))
    }

    private func play(
        seed: UInt64, for duration: Duration, _ faults: Faults, burst: Bool = true
    ) throws {
        var faults = faults
        faults.burst = burst
        do throws(Violation) {
            try UplinkWeather.play(seed: seed, for: duration, faults)
        } catch {
            Issue.record("seed \(seed): \(error)")
        }
    }
}
