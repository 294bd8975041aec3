import Base

/// When an exception is open (`docs/behaviour.md` §2.7).
extension ExceptionSet.Element {
    enum Opening: Equatable {
        case closed
        /// nil: it stays.
        case open(until: WallTime?)
    }

    /// `now`: nil while the clock is not known to be right.
    func opening(at now: WallTime?, _ zone: WeeklyHours.Zone) -> Opening {
        guard isTimed else { return .open(until: nil) }
        guard let now, until.map({ now < $0 }) ?? true else { return .closed }
        guard let when else { return .open(until: until) }
        guard when.isOpen(at: now, zone) else { return .closed }
        let ends = [when.change(after: now, zone), until].compactMap { $0 }
        return .open(until: ends.min())
    }

    /// When its hours begin next; nil: it is open, or will not be again.
    func opens(after now: WallTime, _ zone: WeeklyHours.Zone) -> WallTime? {
        guard let when, !when.isOpen(at: now, zone), let next = when.change(after: now, zone)
        else { return nil }
        return until.map { next < $0 } ?? true ? next : nil
    }
}

extension Ruleset {
    /// When the next of the exceptions that are closed now is to be opened; nil: none is.
    func opens(after now: WallTime, _ zone: WeeklyHours.Zone) -> WallTime? {
        exceptions.flatMap(\.elements).compactMap { $0.opens(after: now, zone) }.min()
    }
}
