package import Base

extension Settings.Firewall.Allow {
    /// Whether what is open for a time only is closed at this moment: until the clock is right, and outside its hours.
    package func isClosed(at now: WallTime, _ zone: WeeklyHours.Zone) -> Bool {
        guard until != nil || when != nil else { return false }
        return now < .clockIsRightFrom || until.map { $0 <= now } ?? false
            || !(when?.isOpen(at: now, zone) ?? true)
    }

    /// How long it is until its hours begin; nil: it is open, will not be again, or the clock is not right.
    package func opensSeconds(after now: WallTime, _ zone: WeeklyHours.Zone) -> Int? {
        guard now >= .clockIsRightFrom, let when, !when.isOpen(at: now, zone),
            let next = when.change(after: now, zone), until.map({ next < $0 }) ?? true
        else { return nil }
        return Int((next.milliseconds - now.milliseconds) / 1000)
    }
}
