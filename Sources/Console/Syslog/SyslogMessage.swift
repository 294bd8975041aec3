import Base

/// An event as a syslog message (RFC 5424), framed by its length (RFC 5425 §4.3).
///
///     LENGTH <PRI>1 TIME HOST drawbridge - KIND [drawbridge@32473 …] BOM TEXT
package enum SyslogMessage {
    /// RFC 5424 §6.2.1
    private enum Facility: Int {
        /// System daemons.
        case daemon = 3
        /// Security and authorisation, private.
        case authpriv = 10
    }

    private enum Severity: Int {
        case warning = 4
        case notice = 5
        case informational = 6
    }

    /// The message with its length before it.
    package static func frame(_ entry: EventEntry, host: String) -> [UInt8] {
        let message = Array(text(entry, host: host).utf8)
        return Array("\(message.count) ".utf8) + message
    }

    static func text(_ entry: EventEntry, host: String) -> String {
        let (facility, severity) = rank(entry.kind)
        let priority = facility.rawValue * 8 + severity.rawValue
        // RFC 5424 §7.3.1 counts from 1 to 2147483647, then again.
        let sequence = (entry.number - min(entry.number, 1)) % 2_147_483_647 + 1
        // No number of our own is registered: RFC 5612 leaves this one to whoever has none.
        let data =
            "[meta sequenceId=\"\(sequence)\"][drawbridge@32473"
            + [
                ("number", "\(entry.number)"), ("kind", entry.kind.rawValue), ("who", entry.who),
                ("boot", entry.boot), ("bootMs", "\(entry.bootMilliseconds)"),
                ("hash", entry.hash),
            ].map { " \($0)=\"\(escaped($1))\"" }.joined() + "]"
        return "<\(priority)>1 \(time(entry)) \(host) drawbridge - \(entry.kind.rawValue) \(data) "
            + "\u{feff}\("\(entry.who): \(entry.what)".withoutControls())"
    }

    /// `docs/syslog.md` has the same as a table.
    private static func rank(_ kind: Event.Kind) -> (Facility, Severity) {
        switch kind {
        case .security: (.authpriv, .warning)
        case .switch, .vpn, .config: (.authpriv, .notice)
        case .log, .recorder: (.daemon, .warning)
        case .start, .stop, .uplink, .cloud: (.daemon, .notice)
        case .machine: (.daemon, .informational)
        }
    }

    /// RFC 3339 in UTC; a dash (NILVALUE) where the clock cannot have been right.
    private static func time(_ entry: EventEntry) -> String {
        let wall = WallTime(milliseconds: entry.timeMilliseconds)
        guard wall >= .clockIsRightFrom else { return "-" }
        let civil = CivilTime(wall)
        let seconds = entry.timeMilliseconds / 1000 % 60
        return "\(civil)".replacing(" ", with: "T")
            + ":\(padded(seconds, 2)).\(padded(entry.timeMilliseconds % 1000, 3))Z"
    }

    private static func padded(_ number: Int64, _ count: Int) -> String {
        let digits = "\(number)"
        return String(repeating: "0", count: max(0, count - digits.count)) + digits
    }

    /// A parameter's value (RFC 5424 §6.3.3).
    private static func escaped(_ text: String) -> String {
        text.withoutControls().escaping(["\\", "\"", "]"])
    }
}
