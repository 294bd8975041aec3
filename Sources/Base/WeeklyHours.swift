/// Hours of the week, as a clock on the wall shows them: `mon-fri 06:00-18:00, sat 08:00-12:00`.
package struct WeeklyHours: Hashable, Sendable, CustomStringConvertible {
    /// As it was written.
    package let description: String
    /// Minutes since Monday 00:00, the first included, the last not; they may go past the week's end.
    private let spans: [Range<Int>]

    /// Parts that one text may have.
    package static let partsMax = 8
    private static let week = 7 * 24 * 60
    private static let day = 24 * 60
    private static let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    /// nil: it is not written so. A part whose end is not after its begin ends on the next day.
    package init?(_ text: String) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count <= Self.partsMax else { return nil }
        var spans: [Range<Int>] = []
        for part in parts {
            let words = part.split(separator: " ")
            guard words.count == 2, let days = Self.days(words[0]),
                let hours = Self.hours(words[1])
            else { return nil }
            for day in days {
                let begin = day * Self.day + hours.lowerBound
                spans.append(begin..<(begin + hours.count))
            }
        }
        self.spans = spans
        description = text
    }

    /// `mon`, `mon-fri`, `fri-mon`, `daily`.
    private static func days(_ text: Substring) -> [Int]? {
        if text == "daily" { return Array(0..<7) }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
            .map { days.firstIndex(of: String($0)) }
        guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1]
        else { return nil }
        return (0...((last - first + 7) % 7)).map { (first + $0) % 7 }
    }

    /// `06:00-18:00` in minutes since midnight.
    private static func hours(_ text: Substring) -> Range<Int>? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map(minutes)
        guard ends.count == 2, let begin = ends[0], let end = ends[1], begin < day else {
            return nil
        }
        return begin..<(end > begin ? end : end + day)
    }

    /// `00:00` to `24:00`.
    private static func minutes(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy {
            $0.utf8.count == 2 && $0.utf8.allSatisfy { (48...57).contains($0) }
        }
        guard parts.count == 2, isPlain, let hour = Int(parts[0]), let minute = Int(parts[1]),
            minute < 60, hour < 24 || hour == 24 && minute == 0
        else { return nil }
        return hour * 60 + minute
    }

    private func isOpen(minute: Int) -> Bool {
        spans.contains { $0.contains(minute) || $0.contains(minute + Self.week) }
    }

    /// Minutes from one minute of the week to the next one that is otherwise; nil: none ever is.
    private func change(after minute: Int) -> Int? {
        let now = isOpen(minute: minute)
        let borders = spans.flatMap { [$0.lowerBound, $0.upperBound] }
        let distances = borders.map { border -> Int in
            let distance = (border - minute + Self.week) % Self.week
            return distance == 0 ? Self.week : distance
        }
        return distances.sorted().first { isOpen(minute: (minute + $0) % Self.week) != now }
    }

    // MARK: in a time zone

    /// How many seconds local time is ahead of UTC at a moment.
    package typealias Zone = @Sendable (WallTime) -> Int

    package func isOpen(at time: WallTime, _ zone: Zone) -> Bool {
        isOpen(minute: Self.minute(Self.local(time, zone)))
    }

    /// When it next opens or closes; nil: it never does.
    ///
    /// What counts is what the clock on the wall shows: an hour that it shows twice counts twice, one that it leaves
    /// out does not come.
    package func change(after time: WallTime, _ zone: Zone) -> WallTime? {
        let isOpen = isOpen(at: time, zone)
        var current = time
        // The clock is set twice a year at most.
        for _ in 0..<4 {
            let offset = zone(current)
            let local = Self.local(current, zone)
            guard let minutes = change(after: Self.minute(local)) else { return nil }
            let begun = local - (local % 60 + 60) % 60
            let end = WallTime(
                milliseconds: (begun + Int64(minutes) * 60 - Int64(offset)) * 1000)
            guard zone(end) != offset else { return end }
            let turn = Self.turn(of: zone, from: current, to: end)
            if self.isOpen(at: turn, zone) != isOpen { return turn }
            current = turn
        }
        return current
    }

    /// The first moment, to the second, at which the clock has been set between two.
    private static func turn(of zone: Zone, from begin: WallTime, to end: WallTime) -> WallTime {
        let offset = zone(begin)
        var (before, after) = (begin.milliseconds / 1000, end.milliseconds / 1000)
        while after - before > 1 {
            let middle = before + (after - before) / 2
            if zone(WallTime(milliseconds: middle * 1000)) == offset {
                before = middle
            } else {
                after = middle
            }
        }
        return WallTime(milliseconds: after * 1000)
    }

    private static func local(_ time: WallTime, _ zone: Zone) -> Int64 {
        time.milliseconds / 1000 + Int64(zone(time))
    }

    private static func minute(_ local: Int64) -> Int {
        let reading = CivilTime(seconds: local)
        return reading.weekday * day + reading.hour * 60 + reading.minute
    }
}
