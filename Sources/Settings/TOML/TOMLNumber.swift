extension TOMLValue {
    /// Reads what stands without quotes: a number or `true` or `false`; nil if it is neither.
    ///
    /// TOML's dates and times are refused: no key of this program takes one.
    init?(bare token: String) {
        switch token {
        case "true": self = .boolean(true)
        case "false": self = .boolean(false)
        default:
            guard let number = Self.integer(token) ?? Self.float(token) else { return nil }
            self = number
        }
    }

    /// What to write in place of a token that is not a value.
    static func advice(for token: String) -> String {
        let shown = quoted(token).dropFirst().dropLast()
        if ["true", "false", "yes", "no", "on", "off"].contains(token.lowercased()) {
            return "\(shown) is not a value; write true or false"
        }
        if token.utf8.allSatisfy({ $0.isDigit || $0 == UInt8(ascii: "_") }) {
            return "\(shown) is not a number; write it without leading zeros, at most \(Int64.max)"
        }
        if token.unicodeScalars.contains("\u{a0}") {
            return "a no-break space stands here; type it anew as an ordinary space"
        }
        let bare = token.filter { !"“”„‟«»‘’‚‛".contains($0) }
        if bare != token {
            return "\(shown) is not a value; type straight quotes: \(quoted(bare))"
        }
        return "\(shown) is not a value; a text stands in quotes: \(quoted(token))"
    }

    private static func integer(_ token: String) -> TOMLValue? {
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where token.hasPrefix(prefix) {
            return digits(token.dropFirst(2), radix: radix)
                .flatMap { Int64($0, radix: radix) }.map { .integer($0) }
        }
        let (sign, rest) = split(sign: token)
        guard let digits = wholeNumber(rest) else { return nil }
        return Int64(sign + digits).map { .integer($0) }
    }

    private static func float(_ token: String) -> TOMLValue? {
        let (sign, rest) = split(sign: token)
        if rest == "inf" { return .float(sign == "-" ? -.infinity : .infinity) }
        if rest == "nan" { return .float(.nan) }
        let parts = rest.split(maxSplits: 1, omittingEmptySubsequences: false) {
            $0 == "e" || $0 == "E"
        }
        let mantissa = parts[0].split(
            separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 || mantissa.count == 2, let whole = wholeNumber(mantissa[0])
        else { return nil }
        var text = sign + whole
        if mantissa.count == 2 {
            guard let fraction = digits(mantissa[1]) else { return nil }
            text += "." + fraction
        }
        if parts.count == 2 {
            let exponent = split(sign: parts[1])
            guard let digits = digits(exponent.rest) else { return nil }
            text += "e" + exponent.sign + digits
        }
        return Double(text).flatMap { $0.isFinite ? .float($0) : nil }
    }

    private static func split(sign text: some StringProtocol) -> (sign: String, rest: Substring) {
        guard let first = text.first, first == "+" || first == "-" else {
            return ("", Substring(text))
        }
        return (String(first), Substring(text.dropFirst()))
    }

    /// Decimal digits without leading zeros, their underscores taken out.
    private static func wholeNumber(_ text: Substring) -> String? {
        guard let digits = digits(text), digits.count == 1 || digits.first != "0" else {
            return nil
        }
        return digits
    }

    /// Digits, their underscores taken out; nil unless each underscore stands between two digits.
    private static func digits(_ text: Substring, radix: Int = 10) -> String? {
        let groups = text.split(separator: "_", omittingEmptySubsequences: false)
        let isRight = groups.allSatisfy { group in
            !group.isEmpty
                && group.utf8.allSatisfy {
                    radix == 16
                        ? $0.isHexDigit : $0.isDigit && $0 < UInt8(ascii: "0") + UInt8(radix)
                }
        }
        return isRight ? groups.joined() : nil
    }
}

extension UInt8 {
    /// 0–9
    var isDigit: Bool { (0x30...0x39).contains(self) }

    /// 0–9, A–F, a–f
    var isHexDigit: Bool {
        isDigit || (0x41...0x46).contains(self) || (0x61...0x66).contains(self)
    }
}
