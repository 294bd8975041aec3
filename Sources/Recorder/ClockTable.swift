package import Base

/// What the wall clock would have shown, had it been right from the beginning of each boot.
///
/// A router without a battery for its clock begins in 1970, or where it ended. Once a time service keeps the clock, the
/// difference to the time since boot holds for everything that was recorded since that boot. The files keep what the
/// clock showed; the times are corrected on the way out, and marked so.
package struct ClockTable: Equatable, Sendable {
    package struct Entry: Equatable, Sendable {
        package var bootID: BootID
        /// Milliseconds from 1970 to the beginning of this boot, by a clock that was kept.
        package var offset: Int64
    }

    /// The boots whose clock was ever kept, the latest last.
    package private(set) var entries: [Entry] = []

    /// What differs by no more is left as it was recorded.
    package static let tolerance = Duration.seconds(1)
    /// A clock that is kept and shows less is not believed: 2025-01-01.
    package static let earliest = WallTime(milliseconds: 1_735_689_600_000)

    package init() {}

    /// A time service keeps the clock, which shows this. True if that is news.
    package mutating func kept(_ time: Timestamp, in bootID: BootID) -> Bool {
        guard time.wall >= Self.earliest else { return false }
        let offset = Self.offset(time)
        if let known = entries.first(where: { $0.bootID == bootID })?.offset,
            Self.distance(known, offset) * 2 <= Self.tolerance.milliseconds
        {
            return false
        }
        add(bootID, offset: offset)
        return true
    }

    /// The latest word on a boot; the oldest boot is forgotten if there are too many.
    mutating func add(_ bootID: BootID, offset: Int64) {
        entries.removeAll { $0.bootID == bootID }
        entries.append(Entry(bootID: bootID, offset: offset))
        if entries.count > Limits.bootsMax { entries.removeFirst() }
    }

    /// What the clock should have shown; nil: what it showed is right, or nobody knows better.
    package func corrected(_ time: Timestamp, in bootID: BootID) -> WallTime? {
        guard let entry = entries.last(where: { $0.bootID == bootID }),
            Self.distance(Self.offset(time), entry.offset) > Self.tolerance.milliseconds
        else { return nil }
        return WallTime(milliseconds: time.monotonic.nanoseconds / 1_000_000 &+ entry.offset)
    }

    private static func offset(_ time: Timestamp) -> Int64 {
        time.wall.milliseconds &- time.monotonic.nanoseconds / 1_000_000
    }

    private static func distance(_ a: Int64, _ b: Int64) -> Double {
        abs(Double(a) - Double(b))
    }
}
