/// A value of a TOML file, and where it stands there.
struct TOMLNode {
    var value: TOMLValue
    var position: Position
}

enum TOMLValue {
    case string(String)
    case integer(Int64)
    case float(Double)
    case boolean(Bool)
    case array([TOMLNode])
    case table(TOMLTable)
    /// `[[name]]`: at least one table.
    case tables(TOMLTables)
    /// What stands here is not TOML; that has been reported.
    case broken
}

extension TOMLValue: CustomStringConvertible {
    /// Longest text shown in a message, in characters.
    private static let shownMax = 60

    /// The value as an error message shows it.
    var description: String {
        switch self {
        case .string(let text): Self.quoted(text)
        case .integer(let number): "\(number)"
        case .float(let number): "\(number)"
        case .boolean(let flag): "\(flag)"
        case .array: "a list"
        case .table: "a table"
        case .tables: "a list of tables"
        case .broken: "a broken value"
        }
    }

    /// A text in quotes, on one line, cut when it is long.
    static func quoted(_ text: String) -> String {
        var shown = "\""
        for scalar in text.unicodeScalars.prefix(shownMax) {
            switch scalar {
            case "\"", "\\": shown += "\\\(scalar)"
            case "\n": shown += "\\n"
            case "\t": shown += "\\t"
            case _ where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value):
                shown += "\\u00" + (scalar.value < 16 ? "0" : "")
                shown += String(scalar.value, radix: 16)
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return shown + (text.unicodeScalars.count > shownMax ? "…\"" : "\"")
    }
}

/// A table of a TOML file: keys in the order of the file.
///
/// A reference, so that the parser and the merging of files can fill in what they have found; it does
/// not leave the call that loads the settings.
final class TOMLTable {
    struct Entry {
        var name: String
        /// Where the key stands.
        var position: Position
        var value: TOMLNode
    }

    /// How a table came to be, which decides what may still be added to it (TOML 1.0 §Table).
    enum Origin {
        /// As the parent in `[parent.child]`.
        case implied
        /// By its own `[header]`, or as the root.
        case header
        /// By a dotted key.
        case dotted
        /// As `{ … }`.
        case inline
    }

    var origin: Origin
    let position: Position
    private(set) var entries: [Entry] = []
    private var index: [String: Int] = [:]
    /// Something in it could not be read: do not complain about what is missing.
    var isDamaged = false

    init(_ origin: Origin, at position: Position) {
        self.origin = origin
        self.position = position
    }

    subscript(name: String) -> Entry? {
        index[name].map { entries[$0] }
    }

    /// Adds an entry, or replaces the one of the same name.
    func set(_ entry: Entry) {
        if let known = index[entry.name] {
            entries[known] = entry
        } else {
            index[entry.name] = entries.count
            entries.append(entry)
        }
    }
}

/// The tables of `[[name]]`, in the order of the file.
final class TOMLTables {
    var all: [TOMLTable]

    init(_ first: TOMLTable) {
        all = [first]
    }
}
