package import Base

/// Wall time as the clock on the wall shows it: `14:02` today, `18 Nov 14:02` on other days.
package struct LocalTime: Sendable {
    private let now: WallTime
    private let offsetSeconds: Int

    /// `offsetSeconds` is how far local time is ahead of UTC.
    package init(now: WallTime, offsetSeconds: Int) {
        self.now = now
        self.offsetSeconds = offsetSeconds
    }

    package init(_ document: StatusDocument) {
        self.init(
            now: WallTime(milliseconds: document.timeMilliseconds),
            offsetSeconds: document.utcOffsetSeconds)
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// The moment in as few words as tell it from others.
    package func text(_ time: WallTime) -> String {
        let moment = parts(time)
        let clock = "\(Self.two(moment.hour)):\(Self.two(moment.minute))"
        let today = parts(now)
        if moment.days == today.days { return clock }
        let date = "\(moment.day) \(Self.months[moment.month - 1])"
        return moment.year == today.year ? "\(date) \(clock)" : "\(date) \(moment.year)"
    }

    /// The moment so many seconds ago.
    package func text(secondsAgo seconds: Int) -> String {
        text(WallTime(milliseconds: now.milliseconds - Int64(seconds) * 1000))
    }

    /// `2026-11-18 14:02:09`
    package func full(_ time: WallTime) -> String {
        let moment = parts(time)
        return "\(moment.year)-\(Self.two(moment.month))-\(Self.two(moment.day)) "
            + "\(Self.two(moment.hour)):\(Self.two(moment.minute)):\(Self.two(moment.second))"
    }

    private struct Parts {
        var days, year, month, day, hour, minute, second: Int
    }

    /// The proleptic Gregorian calendar; after Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms".
    private func parts(_ time: WallTime) -> Parts {
        let bounded = min(max(time.milliseconds, 0), 253_402_300_799_000)
        let seconds = Int(bounded / 1000) + offsetSeconds
        let (days, rest) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let index = (5 * dayOfYear + 2) / 153
        let month = index < 10 ? index + 3 : index - 9
        return Parts(
            days: days, year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month,
            day: dayOfYear - (153 * index + 2) / 5 + 1, hour: rest / 3600,
            minute: rest / 60 % 60, second: rest % 60)
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
