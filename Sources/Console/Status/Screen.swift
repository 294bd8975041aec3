import Base

/// Builds text for a terminal of a given size: no line is too long, none too many, no control character
/// that came from outside gets through.
struct Screen {
    enum Style: String {
        case plain = ""
        case bold = "1"
        case dim = "2"
        case good = "32"
        case warning = "33"
        case bad = "1;31"
    }

    struct Piece {
        var text: String
        var style: Style

        init(_ text: String, _ style: Style = .plain) {
            // What a broker, a certificate or a kernel put into a reason must not steer the terminal.
            self.text = text.withoutControls("?")
            self.style = style
        }
    }

    let width: Int
    let isColoured: Bool
    private(set) var lines: [String] = []

    init(width: Int, isColoured: Bool) {
        self.width = width
        self.isColoured = isColoured
    }

    /// Adds a line; what does not fit ends in "...".
    ///
    /// A width of `Int.max` is for what people copy: a report, not a screen.
    mutating func line(_ pieces: [Piece]) {
        let fits = pieces.reduce(0) { $0 + $1.text.count } <= width
        var room = fits ? width : width - 3
        var text = ""
        for piece in pieces where room > 0 {
            let part = String(piece.text.prefix(room))
            room -= part.count
            text += coloured(part, piece.style)
        }
        if !fits { text += "..." }
        while text.hasSuffix(" ") { text.removeLast() }
        lines.append(text)
    }

    private func coloured(_ text: String, _ style: Style) -> String {
        guard isColoured, style != .plain, !text.isEmpty else { return text }
        return "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m"
    }
}

extension String {
    /// The text, filled up with spaces.
    func padded(_ width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}

/// Figures as people read them.
enum Figure {
    /// `1,234,567`
    static func count(_ value: some BinaryInteger) -> String {
        let digits = String(value)
        var text = ""
        for (index, digit) in digits.enumerated() {
            let rest = digits.count - index
            if index > 0, rest % 3 == 0, text != "-" { text += "," }
            text.append(digit)
        }
        return text
    }

    /// `5 s`, `3 min`, `2 h 5 min`, `3 d 4 h`
    static func age(seconds: Int) -> String {
        switch max(0, seconds) {
        case let s where s < 60: "\(s) s"
        case let s where s < 3_600: "\(s / 60) min"
        case let s where s < 86_400:
            "\(s / 3_600) h" + (s / 60 % 60 > 0 ? " \(s / 60 % 60) min" : "")
        case let s: "\(s / 86_400) d" + (s / 3_600 % 24 > 0 ? " \(s / 3_600 % 24) h" : "")
        }
    }

    /// With one decimal: `0.4`, `12.0`; without one for 0 and from 100 on.
    static func decimal(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e9 else { return "?" }
        if abs(value) >= 100 || value == 0 { return String(Int(value.rounded())) }
        let tenths = Int((value * 10).rounded())
        return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }
}
