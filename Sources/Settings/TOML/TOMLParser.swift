/// Reads one file of TOML 1.0 (without dates), strictly, and reports every error in it.
///
/// After an error it goes on with the next line that looks like a statement. Bounded: by the size of
/// the file, the depth of nesting, and the number of errors.
struct TOMLParser {
    enum Limits {
        /// Longest file, in bytes.
        static let bytesMax = 1 << 20
        /// Values within values, and parts of a dotted key.
        static let depthMax = 16
        /// Errors after which the rest of the file is not read.
        static let problemsMax = SettingsErrors.problemsMax
    }

    var scanner: TOMLScanner
    var document: TOMLDocument
    /// Lines that are not text; they have been reported.
    private let unreadableLines: Set<Int>

    static func parse(_ bytes: [UInt8], file: String) -> (TOMLTable, [SettingsProblem]) {
        let start = Position(file: file, line: 1, column: 1)
        guard bytes.count <= Limits.bytesMax else {
            let root = TOMLTable(.header, at: start)
            root.isDamaged = true
            let message = "is \(bytes.count) bytes long; at most \(Limits.bytesMax) are read"
            return (root, [SettingsProblem(Position(file: file), message)])
        }
        let (text, unreadable) = TOMLText.repaired(bytes, file: file)
        var parser = TOMLParser(
            scanner: TOMLScanner(file: file, bytes: text), document: TOMLDocument(at: start),
            unreadableLines: Set(unreadable.map(\.position.line)))
        parser.document.problems = unreadable
        parser.run()
        return (parser.document.root, parser.document.problems)
    }

    private mutating func run() {
        while !scanner.isAtEnd, document.problems.count < Limits.problemsMax {
            let line = scanner.line
            do throws(TOMLFault) {
                guard !unreadableLines.contains(line) else {
                    document.current.isDamaged = true
                    scanner.skipLine()
                    _ = scanner.skipNewline()
                    continue
                }
                try statement()
            } catch {
                document.report(error)
                recover(from: error, statementLine: line)
            }
        }
        if !scanner.isAtEnd { document.root.isDamaged = true }
    }

    /// Reads one line: a header, a key with its value (which may go over several lines), or nothing.
    private mutating func statement() throws(TOMLFault) {
        document.keys = []
        scanner.skipSpace()
        if scanner.byte == .openBracket {
            try header()
        } else if scanner.byte != .hash, !scanner.isAtLineEnd {
            try assignment()
        }
        scanner.skipSpace()
        try scanner.skipComment()
        guard scanner.isAtLineEnd else {
            document.current.isDamaged = true
            let advice =
                scanner.byte == .comma && scanner.peek(-1).isDigit && scanner.peek(1).isDigit
                ? "decimals are written with a point, as in 0.1" : "one statement stands on a line"
            throw scanner.fault("\(scanner.seen) is too much here; \(advice)")
        }
        _ = scanner.skipNewline()
    }

    /// Goes to the next line at which reading can go on.
    private mutating func recover(from fault: TOMLFault, statementLine: Int) {
        if fault.isOpenEnded { document.root.isDamaged = true }
        let isLong = fault.isOpenEnded || scanner.line > statementLine
        // A value of several lines may have failed because it was not closed, at a line that was meant
        // to be the next statement. No line is tried twice: this one comes after the first.
        if scanner.line > statementLine {
            scanner.goToLineStart()
            if scanner.looksLikeStatement { return }
        }
        repeat {
            scanner.skipLine()
            guard scanner.skipNewline() else { return }
        } while isLong && !scanner.looksLikeStatement
    }
}
