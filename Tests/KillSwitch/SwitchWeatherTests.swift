import Base
import Testing

@testable import KillSwitch

@Suite("key switch: weather by seed")
struct SwitchWeatherTests {
    @Test("10,000 turns with faults: never open with a closed key, open again once all is well")
    func weather() {
        var turns = 0
        var openings = 0
        var worst = Duration.zero
        var worstWithFault = Duration.zero
        var timesUp = 0
        var kinds: Set<SwitchWeather.Kind> = []
        for seed in UInt64(1)...200 {
            var weather = SwitchWeather(seed: seed)
            weather.run(turns: 50)
            // The seed replays it: SwitchWeather(seed:).run(turns: 50).
            #expect(weather.violation == nil, "seed \(seed)")
            turns += weather.turns
            openings += weather.openings
            timesUp += weather.timesUp
            kinds.insert(weather.kind)
            worst = max(worst, weather.worst)
            worstWithFault = max(worstWithFault, weather.worstWithFault)
        }
        #expect(turns == 10_000)
        // The weather has power: the gate was open often, and closed late as often as it may be.
        #expect(openings > 1_000)
        #expect(timesUp > 50 && kinds.count == 6)
        #expect(worst > .microseconds(900) && worst <= .milliseconds(1))
        #expect(worstWithFault > .milliseconds(400) && worstWithFault <= .milliseconds(501))
    }

    @Test("the checker finds a gate that is left open: a daemon that does not look")
    func checkerHasPower() {
        var weather = SwitchWeather(seed: 8, looks: false)
        weather.run(turns: 50)
        #expect(weather.violation != nil)
    }

    @Test("the same seed tells the same story")
    func replays() {
        var first = SwitchWeather(seed: 7)
        var second = SwitchWeather(seed: 7)
        first.run(turns: 50)
        second.run(turns: 50)
        #expect(first.now == second.now && first.openings == second.openings)
    }
}
