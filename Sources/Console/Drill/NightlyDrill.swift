package import Base
package import Settings

/// When the drill of a night is due: once in its first minutes, whatever the clock does meanwhile.
package struct NightlyDrill: Sendable {
    /// So long after its time it may still begin: the daemon looks once a minute.
    static let minutesLate = 10
    /// Not again before so long: a clock that is set back has two such times in a night.
    static let pause = Duration.seconds(12 * 3600)

    private var lastAt: Instant?

    package init() {}

    /// `wall`: as the clock on the wall shows it; nil while it was never set.
    package mutating func isDue(
        _ time: Settings.TimeOfDay?, at wall: CivilTime?, _ now: Instant
    ) -> Bool {
        guard let time, let wall else { return false }
        let day = 24 * 60
        let late = (wall.hour * 60 + wall.minute - time.minutes + day) % day
        guard late < Self.minutesLate, lastAt.map({ now - $0 >= Self.pause }) ?? true else {
            return false
        }
        lastAt = now
        return true
    }
}
