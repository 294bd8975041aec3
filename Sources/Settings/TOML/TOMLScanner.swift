/// A syntax error, before it is known which key it belongs to.
struct TOMLFault: Error {
    var position: Position
    var message: String
    /// Whether a value of several lines was never closed: the lines that follow may belong to it.
    var isOpenEnded = false
}

/// Walks over the bytes of one TOML file and knows its line and column.
///
/// The bytes must be valid UTF-8. Every step goes forward, except where the parser goes back to a
/// `Mark` that it took before.
struct TOMLScanner {
    struct Mark {
        fileprivate(set) var index = 0
        fileprivate(set) var line = 1
        /// A byte of this line, and its column: counting goes on from there.
        fileprivate var counted = 0
        fileprivate var column = 1
        fileprivate var lineStart = 0
    }

    let file: String
    private let bytes: [UInt8]
    /// Where the scanner is; it goes back by setting it.
    var mark = Mark()

    init(file: String, bytes: [UInt8]) {
        self.file = file
        self.bytes = bytes
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) {
            (mark.index, mark.counted, mark.lineStart) = (3, 3, 3)
        }
    }

    var isAtEnd: Bool { mark.index >= bytes.count }
    var line: Int { mark.line }

    /// The byte here; 0 at the end. (A zero byte in a file is refused wherever it stands.)
    var byte: UInt8 { peek(0) }

    func peek(_ offset: Int) -> UInt8 {
        let index = mark.index + offset
        return index < bytes.count ? bytes[index] : 0
    }

    /// Whether a line ends here, or the file does.
    var isAtLineEnd: Bool { isAtEnd || isAtNewline }

    private var isAtNewline: Bool { byte == .lineFeed || (byte == .return && peek(1) == .lineFeed) }

    var position: Position {
        mutating get {
            for index in mark.counted..<mark.index where bytes[index] & 0xc0 != 0x80 {
                mark.column += 1
            }
            mark.counted = mark.index
            return Position(file: file, line: mark.line, column: mark.column)
        }
    }

    mutating func fault(_ message: String, at position: Position? = nil) -> TOMLFault {
        TOMLFault(position: position ?? self.position, message: message)
    }

    /// What stands here, for a message.
    var seen: String {
        if isAtEnd { return "the end of the file" }
        if isAtNewline { return "the end of the line" }
        var end = mark.index + 1
        while end < bytes.count, bytes[end] & 0xc0 == 0x80 { end += 1 }
        let character = String(decoding: bytes[mark.index..<end], as: UTF8.self)
        if character == "\u{a0}" { return "a no-break space; type it anew as an ordinary space" }
        return byte == .quote ? "'\"'" : TOMLValue.quoted(character)
    }

    /// Goes over bytes that hold no line end.
    mutating func advance(_ count: Int = 1) {
        mark.index += count
    }

    /// Goes over a line end, if there is one here.
    mutating func skipNewline() -> Bool {
        guard !isAtEnd, isAtNewline else { return false }
        mark.index += byte == .return ? 2 : 1
        mark.line += 1
        mark.lineStart = mark.index
        goToLineStart()
        return true
    }

    mutating func goToLineStart() {
        (mark.index, mark.counted, mark.column) = (mark.lineStart, mark.lineStart, 1)
    }

    mutating func skip(_ wanted: UInt8) -> Bool {
        guard byte == wanted, !isAtEnd else { return false }
        advance()
        return true
    }

    mutating func skipSpace() {
        while byte == .space || byte == .tab { advance() }
    }

    /// Goes to the end of this line, whatever it holds.
    mutating func skipLine() {
        while !isAtLineEnd { advance() }
    }

    mutating func skipComment() throws(TOMLFault) {
        guard byte == .hash else { return }
        while !isAtLineEnd {
            guard !byte.isControl else { throw fault("a control character in a comment") }
            advance()
        }
    }

    /// Goes over spaces, comments and line ends.
    mutating func skipBlank() throws(TOMLFault) {
        repeat {
            skipSpace()
            try skipComment()
        } while skipNewline()
    }

    /// Takes bytes of this line as long as `isPart` says so.
    mutating func take(while isPart: (UInt8) -> Bool) -> String {
        let start = mark.index
        while !isAtLineEnd, isPart(byte) { advance() }
        return String(decoding: bytes[start..<mark.index], as: UTF8.self)
    }

    /// Whether the line here looks like `[header]` or `key = …`: a place to go on after an error.
    var looksLikeStatement: Bool {
        var ahead = self
        ahead.skipSpace()
        let isHeader = ahead.skip(.openBracket)
        if isHeader { _ = ahead.skip(.openBracket) }
        let name = ahead.take { $0.isBareKey || $0.isAroundKeys }
        return name.utf8.contains { $0.isBareKey }
            && ahead.byte == (isHeader ? .closeBracket : .equals)
    }
}

extension UInt8 {
    static let tab = UInt8(ascii: "\t"), lineFeed = UInt8(ascii: "\n")
    static let `return` = UInt8(ascii: "\r"), space = UInt8(ascii: " ")
    static let hash = UInt8(ascii: "#"), comma = UInt8(ascii: ","), dot = UInt8(ascii: ".")
    static let equals = UInt8(ascii: "="), quote = UInt8(ascii: "\"")
    static let apostrophe = UInt8(ascii: "'"), backslash = UInt8(ascii: "\\")
    static let openBracket = UInt8(ascii: "["), closeBracket = UInt8(ascii: "]")
    static let openBrace = UInt8(ascii: "{"), closeBrace = UInt8(ascii: "}")

    /// A–Z, a–z, 0–9, `_` and `-`: what a key without quotes is made of.
    var isBareKey: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x5f: true
        default: false
        }
    }

    /// What may stand around bare keys where a key is expected.
    fileprivate var isAroundKeys: Bool {
        switch self {
        case .dot, .quote, .apostrophe, .space, .tab: true
        default: false
        }
    }

    /// A control character other than tab.
    var isControl: Bool { (self < 0x20 && self != .tab) || self == 0x7f }
}
