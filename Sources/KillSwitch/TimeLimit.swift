package import Base

/// For how long a turn of the key allows remote access: a part of `KeySwitch`.
///
/// A time begins when remote access opens after the key was seen away from its "remote" position, without an edge for
/// the whole debounce time. Nothing else begins one or makes it longer: no bounce, no line that could not be read, no
/// start of the daemon.
package struct TimeLimit: Equatable, Sendable {
    package enum Verdict: Equatable, Sendable {
        case unlimited
        case until(Instant)
        case over(KeySwitch.Reason)
    }

    /// nil: as long as the key is on.
    private let length: Duration?
    private let debounce: Duration
    /// The end of the time that the last turn has begun.
    package private(set) var ends: Instant?
    private var awaySince: Instant?
    private var lastSeenAway: Instant?
    /// The next opening begins a time.
    private var isTurned = false

    package init(length: Duration?, debounce: Duration) {
        self.length = length
        self.debounce = debounce
    }

    /// The key was read at another position than "remote".
    mutating func away(at now: Instant) {
        awaySince = awaySince ?? now
        lastSeenAway = now
    }

    /// The key moved, or was read at "remote".
    mutating func moved(at now: Instant) {
        if let awaySince, now - awaySince >= debounce { isTurned = true }
        awaySince = nil
    }

    /// The key cannot be read any more.
    mutating func lost() {
        if let lastSeenAway { moved(at: lastSeenAway) }
        awaySince = nil
    }

    /// Remote access is about to be opened, or opened again.
    mutating func begin(at now: Instant) -> Verdict {
        guard let length else { return .unlimited }
        if isTurned { ends = now + length }
        isTurned = false
        guard let ends else { return .over(.mustBeTurned) }
        return now < ends ? .until(ends) : .over(.timeIsUp)
    }

    /// Why remote access is not open although the key is at "remote".
    var reason: KeySwitch.Reason { ends == nil ? .mustBeTurned : .timeIsUp }
}
