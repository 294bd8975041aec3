extension TOMLScanner {
    /// Reads a text in any of TOML's four kinds of quotes; the scanner stands at the first.
    mutating func string() throws(TOMLFault) -> String {
        let quote = byte
        if peek(1) == quote, peek(2) == quote { return try longString(quote) }
        let start = position
        advance()
        var text: [UInt8] = []
        while !skip(quote) {
            guard !isAtLineEnd else {
                throw fault("this text has no closing quote on its line", at: start)
            }
            try appendCharacter(to: &text, quote: quote)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads a text within `"""` or `'''`.
    private mutating func longString(_ quote: UInt8) throws(TOMLFault) -> String {
        let start = position
        let opening = mark
        advance(3)
        _ = skipNewline()
        var text: [UInt8] = []
        while !(byte == quote && peek(1) == quote && peek(2) == quote) {
            guard !isAtEnd else {
                // Most of the file may have been meant otherwise: go on with the next line.
                mark = opening
                throw TOMLFault(
                    position: start, message: "this text has no closing quotes in the whole file",
                    isOpenEnded: true)
            }
            if skipNewline() {
                text.append(.lineFeed)
            } else if quote == .quote, byte == .backslash, skipLineContinuation() {
                continue
            } else {
                try appendCharacter(to: &text, quote: quote)
            }
        }
        advance(3)
        // One or two quotes may stand right before the closing three.
        for _ in 0..<2 where skip(quote) { text.append(quote) }
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func appendCharacter(
        to text: inout [UInt8], quote: UInt8
    ) throws(TOMLFault) {
        if quote == .quote, byte == .backslash { return try appendEscape(to: &text) }
        guard !byte.isControl else { throw fault("a control character in a text") }
        text.append(byte)
        advance()
    }

    /// Goes over a backslash at a line's end with all blanks that follow (TOML 1.0 §String).
    private mutating func skipLineContinuation() -> Bool {
        let before = mark
        advance()
        skipSpace()
        guard skipNewline() else {
            mark = before
            return false
        }
        repeat { skipSpace() } while skipNewline()
        return true
    }

    private mutating func appendEscape(to text: inout [UInt8]) throws(TOMLFault) {
        let letter = peek(1)
        switch letter {
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "t"): text.append(.tab)
        case UInt8(ascii: "n"): text.append(.lineFeed)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "r"): text.append(.return)
        case .quote, .backslash: text.append(letter)
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            let count = letter == UInt8(ascii: "u") ? 4 : 8
            let digits = (0..<count).map { Character(Unicode.Scalar(peek(2 + $0))) }
            guard digits.allSatisfy(\.isHexDigit), let code = UInt32(String(digits), radix: 16),
                let scalar = Unicode.Scalar(code)
            else { throw fault("this is not the code of a character; write \\u and four digits") }
            text += Array(String(Character(scalar)).utf8)
            advance(count)
        default:
            throw fault(
                "a backslash must be doubled: write \\\\, or put the text in 'single quotes'")
        }
        advance(2)
    }
}
