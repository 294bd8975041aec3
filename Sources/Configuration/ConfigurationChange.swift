import Base
package import Settings

/// What became of a config file that somebody wrote, for the event log.
package enum ConfigurationNews: Equatable, Sendable {
    /// It is in force. `number`: in the history; `touched`: the rooms that begin anew.
    case applied(number: Int?, change: ConfigurationChange, touched: [String])
    /// It is in force until its time is over, unless it is confirmed.
    case onTrial(for: Duration)
    /// It has mistakes, a line each, and the one before goes on.
    case refused([String])
    /// The file that goes on lies there again.
    case withdrawn

    /// In words.
    package var words: String {
        switch self {
        case .applied(let number, let change, let touched):
            let which = number.map { "number \($0)" } ?? "a file that is not in the history"
            let rooms = touched.isEmpty ? "nothing" : touched.joined(separator: ", ")
            return
                "\(which) is in force (SHA-256 \(change.digest)): \(change.words); begun anew: \(rooms)"
        case .onTrial(let time):
            return "a change is on trial for \(DurationText.format(time))"
        case .refused(let lines):
            let more = lines.count > 1 ? " (and \(lines.count - 1) more)" : ""
            return "refused, the one before stays in force: \(lines.first ?? "")\(more)"
        case .withdrawn:
            return "the refused one is gone, the one in force lies there again"
        }
    }
}

/// What differs between two configs: the keys whose lines were added, changed or taken away, whatever their order.
///
/// Keys only: the event log is handed on for support, and values are nobody's business there.
package struct ConfigurationChange: Equatable, Sendable {
    /// Such as `keepalive.interval`; in the order of the new files, then what was taken away.
    package var keys: [String]
    /// The first digits of the main file's SHA-256.
    package var digest: String

    /// Keys that are told.
    private static let toldMax = 6

    /// A line that says something, and the key that it sets.
    private struct Line: Hashable {
        var key: String
        var text: Substring
    }

    package init(from old: [SettingsSource], to new: [SettingsSource]) {
        let (before, after) = (Self.lines(old).map(\.line), Self.lines(new).map(\.line))
        var seen: Set<String> = []
        keys = (Self.surplus(after, over: before) + Self.surplus(before, over: after))
            .map(\.key).filter { seen.insert($0).inserted }
        digest = String(SHA256.hex(new.first?.bytes ?? []).prefix(16))
    }

    /// `keepalive.interval, lan.network changed`
    package var words: String {
        guard !keys.isEmpty else { return "no key changed" }
        let more = keys.count > Self.toldMax ? " and \(keys.count - Self.toldMax) more" : ""
        return keys.prefix(Self.toldMax).joined(separator: ", ") + more + " changed"
    }

    /// Where a key is set, as far as one can tell by lines.
    package static func place(of key: String, in sources: [SettingsSource]) -> Position? {
        lines(sources).first { $0.line.key == key }?.place
    }

    /// Neither empty nor a comment. A table's header belongs to the lines after it.
    private static func lines(_ sources: [SettingsSource]) -> [(line: Line, place: Position)] {
        var lines: [(line: Line, place: Position)] = []
        for source in sources {
            var table = ""
            let text = String(decoding: source.bytes, as: UTF8.self)
            let all = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            for (index, line) in all.enumerated() {
                let rest = trimmed(line)
                let place = Position(file: source.name, line: index + 1, column: 1)
                guard let first = rest.first, first != "#" else { continue }
                if first == "[" {
                    table = String(rest.drop { $0 == "[" }.prefix { $0 != "]" })
                    lines.append((Line(key: table, text: rest), place))
                } else if rest.contains("=") {
                    let key = trimmed(rest.prefix { $0 != "=" })
                    let name = table.isEmpty ? "\(key)" : "\(table).\(key)"
                    lines.append((Line(key: name, text: rest), place))
                } else {
                    // The rest of a value that began further up.
                    lines.append((Line(key: lines.last?.line.key ?? table, text: rest), place))
                }
            }
        }
        return lines
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var rest = text.drop { $0.isWhitespace }
        while rest.last?.isWhitespace ?? false { rest.removeLast() }
        return rest
    }

    /// What `lines` has more often than `others`, in its order.
    private static func surplus(_ lines: [Line], over others: [Line]) -> [Line] {
        var left = others.reduce(into: [Line: Int]()) { $0[$1, default: 0] += 1 }
        return lines.filter { line in
            let count = left[line] ?? 0
            left[line] = count - 1
            return count <= 0
        }
    }
}
