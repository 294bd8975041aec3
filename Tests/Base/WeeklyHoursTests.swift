import Base
import Testing

/// Hours of the week over changes of the clock.
@Suite struct WeeklyHoursTests {
    /// Central European Time in 2026: summer time from 2026-03-29 01:00 to 2026-10-25 01:00 UTC.
    private let zone: WeeklyHours.Zone = { time in
        (1_774_746_000_000..<1_792_890_000_000).contains(time.milliseconds) ? 7200 : 3600
    }

    private func utc(_ month: Int, _ day: Int, _ hour: Int, _ minute: Int = 0) -> WallTime {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        let days = 20_454 + lengths.prefix(month - 1).reduce(0, +) + day - 1
        return WallTime(milliseconds: Int64((days * 24 + hour) * 60 + minute) * 60_000)
    }

    private func change(_ text: String, after time: WallTime) throws -> String {
        let hours = try #require(WeeklyHours(text))
        let change = try #require(hours.change(after: time, zone))
        #expect(hours.isOpen(at: change, zone) != hours.isOpen(at: time, zone))
        let before = WallTime(milliseconds: change.milliseconds - 1000)
        #expect(hours.isOpen(at: before, zone) == hours.isOpen(at: time, zone))
        return "\(CivilTime(change))"
    }

    @Test(
        "what is no time of the week is refused",
        arguments: [
            "", "mon", "06:00-18:00", "mon-fri 6:00-18:00", "mon-fri 06:00-24:01",
            "mon 24:00-06:00",
            "Mon 06:00-18:00", "mon-fri 06:00", "mon 06:00-18:00,", "mon 06:60-18:00",
            "mon-tue-wed 06:00-18:00", "mon 06:00-18:00 sat 06:00-18:00",
            Array(repeating: "mon 06:00-18:00", count: 9).joined(separator: ", "),
        ])
    func refused(text: String) { #expect(WeeklyHours(text) == nil) }

    @Test("weekdays, nights that end on the next day, and several parts")
    func open() throws {
        let hours = try #require(WeeklyHours("mon-fri 06:00-18:00, sun 22:00-04:00"))
        // 2026-11-16 was a Monday; local time is an hour ahead.
        for (time, isOpen) in [
            (utc(11, 16, 4, 59), false), (utc(11, 16, 5), true), (utc(11, 16, 16, 59), true),
            (utc(11, 16, 17), false), (utc(11, 21, 10), false), (utc(11, 22, 21), true),
            (utc(11, 23, 2, 59), true), (utc(11, 23, 3), false), (utc(11, 23, 5), true),
        ] {
            #expect(hours.isOpen(at: time, zone) == isOpen, "\(CivilTime(time))")
        }
        #expect(WeeklyHours("daily 00:00-24:00")?.isOpen(at: utc(6, 1, 0), zone) == true)
        #expect(WeeklyHours("daily 00:00-24:00")?.change(after: utc(6, 1, 0), zone) == nil)
        #expect(WeeklyHours("fri-mon 00:00-24:00")?.isOpen(at: utc(11, 17, 12), zone) == false)
    }

    @Test("the next change, on ordinary days and over a weekend")
    func ordinary() throws {
        let text = "mon-fri 06:00-18:00"
        #expect(try change(text, after: utc(11, 16, 4, 59)) == "2026-11-16 05:00")
        #expect(try change(text, after: utc(11, 16, 5)) == "2026-11-16 17:00")
        #expect(try change(text, after: utc(11, 20, 17)) == "2026-11-23 05:00")
        let late = WallTime(milliseconds: utc(11, 16, 16, 59).milliseconds + 59_999)
        #expect(try change(text, after: late) == "2026-11-16 17:00")
        #expect(
            try change("daily 12:00-24:00, daily 00:00-06:00", after: utc(7, 1, 20))
                == "2026-07-02 04:00")
    }

    @Test("what closes at 18:00 closes at 18:00 also on the day the clock is set")
    func daylightSaving() throws {
        // 2026-03-29, a Sunday: 02:00 becomes 03:00.
        #expect(try change("sun 00:00-18:00", after: utc(3, 29, 0)) == "2026-03-29 16:00")
        #expect(try change("sun 06:00-18:00", after: utc(3, 28, 20)) == "2026-03-29 04:00")
        #expect(try change("sat 20:00-06:00", after: utc(3, 28, 20)) == "2026-03-29 04:00")
        // 02:00 to 03:00 does not come: what would open at 02:30 opens at 03:00, when the clock is set.
        #expect(try change("sun 02:30-05:00", after: utc(3, 29, 0)) == "2026-03-29 01:00")
        #expect(try change("sun 01:00-02:30", after: utc(3, 29, 0, 30)) == "2026-03-29 01:00")
        // It lies in the hour that is left out, and so does not open before the next Sunday.
        #expect(try change("sun 02:10-02:40", after: utc(3, 29, 0)) == "2026-04-05 00:10")
        // 2026-10-25, a Sunday: 03:00 becomes 02:00, and 02:00 to 03:00 comes twice.
        #expect(try change("sun 06:00-18:00", after: utc(10, 24, 20)) == "2026-10-25 05:00")
        #expect(try change("sun 01:00-02:30", after: utc(10, 25, 0)) == "2026-10-25 00:30")
        #expect(try change("sun 01:00-02:30", after: utc(10, 25, 0, 45)) == "2026-10-25 01:00")
        #expect(try change("sun 01:00-02:30", after: utc(10, 25, 1)) == "2026-10-25 01:30")
    }

    @Test("over a year each change is one, and none is left out")
    func exhaustive() throws {
        let hours = try #require(
            WeeklyHours("mon-fri 06:00-18:00, sat 23:30-02:45, sun 02:15-02:20"))
        var time = utc(1, 1, 0)
        let end = utc(12, 31, 0)
        var changes = 0
        while time < end, let next = hours.change(after: time, zone) {
            // Looked at every five minutes in between, nothing is otherwise.
            var look = time.milliseconds
            while look < next.milliseconds {
                #expect(
                    hours.isOpen(at: WallTime(milliseconds: look), zone)
                        == hours.isOpen(at: time, zone))
                look += 300_000
            }
            time = next
            changes += 1
        }
        #expect(changes > 600)
    }
}
