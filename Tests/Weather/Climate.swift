package import Base
import TestSupport
import Uplinks

extension Faults {
    /// The climate of a day: each seed has rates of its own for everything that can go wrong.
    package static func day(seed: UInt64) -> Faults {
        var random = SeededGenerator(seed: seed)
        var faults = Faults()
        func seconds(_ range: ClosedRange<Int64>) -> Duration {
            .seconds(Int64.random(in: range, using: &random))
        }
        func milliseconds(_ range: ClosedRange<Int64>) -> Duration {
            .milliseconds(Int64.random(in: range, using: &random))
        }
        faults.lossMax = Double.random(in: 0...0.6, using: &random)
        faults.delayMax = milliseconds(20...5000)
        faults[.outage] = Rate(every: seconds(60...7200), lasts: seconds(1...1200))
        faults[.unplug] = Rate(every: seconds(8...7200), lasts: seconds(1...600))
        faults[.stall] = Rate(every: seconds(5...1000), lasts: milliseconds(100...3000))
        faults[.targetDies] = Rate(every: seconds(60...7200), lasts: seconds(1...300))
        faults.meddleEvery = seconds(30...3600)
        faults.interval = .seconds([1, 2, 5, 10, 30][Int.random(in: 0..<5, using: &random)])
        // Of these every other day has one, and not always the same.
        for (fault, lasts) in Self.sometimes where Bool.random(using: &random) {
            faults[fault] = Rate(every: seconds(300...14_400), lasts: seconds(lasts))
        }
        if Bool.random(using: &random) {
            faults.deaf = Rate(every: seconds(60...3600), lasts: milliseconds(10...2000))
        }
        faults.flap = seconds(1...16)
        faults.carrierFlap = milliseconds(500...8000)
        faults.limit = milliseconds(1000...20_000)
        faults.targets = Int.random(in: 1...3, using: &random)
        faults.confirmsByMedium = Bool.random(using: &random)
        faults.sharesSubnet = Int.random(in: 0..<4, using: &random) == 0
        // Looked at many times a second: not every day can have them.
        faults.hasTraffic = Int.random(in: 0..<16, using: &random) == 0
        faults.judgesQuality = Int.random(in: 0..<8, using: &random) == 0
        if Int.random(in: 0..<4, using: &random) == 0 {
            faults[.captive] = Rate(every: seconds(600...14_400), lasts: seconds(5...3600))
        }
        return faults
    }

    private static let sometimes: [(Fault, ClosedRange<Int64>)] = [
        (.flaps, 60...600), (.carrierFlaps, 30...900), (.interfaceGone, 1...300),
        (.addressGone, 1...120), (.gatewayGone, 1...120), (.targetLimited, 10...3600),
        (.bloat, 5...300), (.latency, 5...300), (.brownOut, 20...900), (.outLost, 5...300),
        (.inLost, 5...300),
    ]
}

extension UplinkWeather {
    /// Plays the weather of a seed, then lets the faults end: all must be up, and the preferred one carry again.
    @discardableResult
    package static func play(
        seed: UInt64, for duration: Duration, _ faults: Faults, tellingFrom: Instant? = nil
    ) throws(Violation) -> UplinkWeather {
        var weather = try UplinkWeather(seed: seed, faults: faults)
        weather.tellsFrom = tellingFrom
        try weather.run(for: duration)
        guard weather.eventsHandled > 1000 else { throw Violation("the weather did not play") }
        try weather.calmDown()
        try weather.run(for: faults.interval * (weather.limits[0].successes + 3))
        guard weather.isAllUp else { throw Violation("not all are up again") }
        // The longest hold, and it is back; before it, the check that finds it free.
        try weather.run(for: .seconds(615))
        if faults.asksForLogins { try weather.run(for: PortalWatch.Limits.usual.captiveMax) }
        guard weather.selector.carrying == 0 else {
            throw Violation("the preferred one must carry again")
        }
        return weather
    }

    /// Plays the day of a seed.
    @discardableResult
    package static func playDay(
        seed: UInt64, tellingFrom: Instant? = nil
    ) throws(Violation) -> UplinkWeather {
        try play(
            seed: seed, for: .seconds(86400), .day(seed: seed), tellingFrom: tellingFrom)
    }
}
