import Base
import Glibc
import Linux
import Logging

/// Log lines for the journal: `<priority>message key=value …` under systemd, with a level word otherwise.
///
/// The journal stamps the time itself; see sd-daemon(3) for the prefixes.
struct JournalLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level
    private let label: String
    private let isJournal: Bool

    init(label: String, level: Logger.Level) {
        self.label = label
        logLevel = level
        isJournal = getenv("JOURNAL_STREAM") != nil
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var line =
            isJournal ? Self.prefix(event.level) : "\(Self.timeOfDay()) \(event.level.rawValue) "
        line += "\(label): \(event.message)"
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(Self.quoted("\(value)"))"
        }
        Terminal.error.print(line)
    }

    private static func prefix(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "<7>"
        case .info: "<6>"
        case .notice: "<5>"
        case .warning: "<4>"
        case .error: "<3>"
        case .critical: "<2>"
        }
    }

    /// The time of day in UTC, `09:05:07.042`: only where no journal stamps the line.
    private static func timeOfDay() -> String {
        func padded(_ number: Int64, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let time = SystemClock().wall().milliseconds
        let seconds = time / 1000
        return "\(padded(seconds / 3600 % 24, 2)):\(padded(seconds / 60 % 60, 2))"
            + ":\(padded(seconds % 60, 2)).\(padded(time % 1000, 3))"
    }

    /// One field whatever the value holds: what a certificate, a broker or a machine says can neither
    /// split the line, nor end its quotes and forge another field, nor steer a terminal.
    static func quoted(_ value: String) -> String {
        let clean = value.withoutControls()
        guard clean.isEmpty || clean.utf8.contains(where: { " \"=\\".utf8.contains($0) }) else {
            return clean
        }
        return "\"" + clean.escaping(["\\", "\""]) + "\""
    }
}
