/// What a record is worth when room gets short.
///
/// Each class has a guaranteed share of the ring. Room is taken from the class that is most over its share, so
/// that samples never push out alarms.
package enum RecordClass: UInt8, CaseIterable, Sendable, Comparable {
    /// On flash before the source is told that it was accepted.
    case alarm = 0
    /// Audit, security, key switch, and what the recorder tells of itself.
    case event = 1
    case log = 2
    case sample = 3

    /// Of the ring, in per cent; samples have what is left.
    package var sharePercent: Int {
        switch self {
        case .alarm: 10
        case .event: 10
        case .log: 20
        case .sample: 60
        }
    }

    package var name: String {
        switch self {
        case .alarm: "alarm"
        case .event: "event"
        case .log: "log"
        case .sample: "sample"
        }
    }

    package static func < (a: RecordClass, b: RecordClass) -> Bool { a.rawValue < b.rawValue }
}
