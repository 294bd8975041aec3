package import Base
import FoundationEssentials

/// Something that a person may ask about later: who did what, and when.
package struct Event: Codable, Equatable, Sendable {
    package enum Kind: String, Codable, CaseIterable, Sendable {
        /// The daemon, or a room of it, starts or stops.
        case start, stop
        /// Another config file is in force.
        case config
        /// Another uplink carries, or one comes up or goes down.
        case uplink
        /// The key switch is turned, or cannot be read.
        case `switch`
        /// The VPN comes up or goes down.
        case vpn
        /// What somebody tried that is not allowed; a firewall that is not in force.
        case security
        case cloud, recorder, machine
        /// The event log about itself.
        case log
    }

    package var kind: Kind
    /// Who did it: "key switch", "config file", "company network", "drawbridge" …
    package var who: String
    /// What happened, in words.
    package var what: String

    /// Longest text, in characters; the rest is cut off.
    package static let textMax = 400

    package init(_ kind: Kind, who: String = "drawbridge", _ what: String) {
        self.kind = kind
        self.who = String(who.prefix(Self.textMax))
        self.what = String(what.prefix(Self.textMax))
    }
}

/// An event as it stands in the log: numbered, dated, and tied to the one before it.
package struct EventEntry: Codable, Equatable, Sendable {
    /// Counted from 1 for the life of the log.
    package var number: UInt64
    /// The wall clock, in milliseconds since 1970.
    package var timeMilliseconds: Int64
    /// Time since boot in milliseconds, and the boot: for routers whose wall clock was wrong.
    package var bootMilliseconds: Int64
    package var boot: String
    package var kind: Event.Kind
    package var who: String
    package var what: String
    /// The hash of the entry before; 64 zeros before the first one.
    package var previous: String
    /// SHA-256 of this entry without this field, as JSON on one line with sorted keys.
    package var hash: String

    package static let noHash = String(repeating: "0", count: 64)

    /// The entry that follows another one, or begins the log.
    package init(
        _ event: Event, after last: EventEntry?, at time: Timestamp, boot: String
    ) throws {
        number = (last?.number ?? 0) + 1
        timeMilliseconds = time.wall.milliseconds
        bootMilliseconds = time.monotonic.nanoseconds / 1_000_000
        self.boot = boot
        kind = event.kind
        who = event.who
        what = event.what
        previous = last?.hash ?? Self.noHash
        hash = ""
        hash = try digest()
    }

    /// What `hash` must be.
    package func digest() throws -> String {
        var bare = self
        bare.hash = ""
        return SHA256.hex(try ConsoleJSON.encode(bare))
    }

    /// The entry as a line of the log, with its line feed.
    package func line() throws -> [UInt8] { try ConsoleJSON.encode(self) + [10] }

    /// `2026-11-18 14:02:09  switch    key switch: turned off`
    package func text(offsetSeconds: Int) -> String {
        let time = WallTime(milliseconds: timeMilliseconds)
        let clock = LocalTime(now: time, offsetSeconds: offsetSeconds).full(time)
        return "\(clock)  \(kind.rawValue.padded(8))  \(Screen.Piece("\(who): \(what)").text)"
    }
}
