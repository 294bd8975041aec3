/// Builds HTML; what comes from outside goes in through `text` and `attribute` only.
struct HTML {
    private(set) var source = ""

    /// Markup of our own.
    mutating func raw(_ markup: StaticString) { source += "\(markup)" }

    /// Markup that another builder has made.
    mutating func add(_ other: HTML) { source += other.source }

    /// Text, also from a broker, a certificate or a machine.
    mutating func text(_ text: String) { source += Self.escaped(text) }

    /// An element around a text.
    mutating func element(_ name: StaticString, class style: StaticString = "", _ text: String) {
        source += style.utf8CodeUnitCount == 0 ? "<\(name)>" : "<\(name) class=\"\(style)\">"
        self.text(text)
        source += "</\(name)>"
    }

    /// ` name="value"`
    mutating func attribute(_ name: StaticString, _ value: String) {
        source += " \(name)=\"\(Self.escaped(value))\""
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default:
                // No control characters, and nothing that turns the direction of what is beside it.
                switch scalar.value {
                case 0..<0x20, 0x7f...0x9f, 0x2028...0x202e, 0x2066...0x2069: result += " "
                default: result.unicodeScalars.append(scalar)
                }
            }
        }
        return result
    }
}
