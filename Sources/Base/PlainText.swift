/// Text from outside within a line of ours: of a log, a table or a terminal.
///
/// By Unicode scalars, not by characters: a quote with a combining mark behind it is one `Character` that equals no
/// quote, and still ends a field.
extension StringProtocol {
    /// With `replacement` for whatever could split the line or steer a terminal: control characters (C0, DEL, C1), line
    /// and paragraph separators, changes of direction.
    package func withoutControls(_ replacement: Unicode.Scalar = " ") -> String {
        String(String.UnicodeScalarView(unicodeScalars.map { $0.isPlain ? $0 : replacement }))
    }

    /// With `mark` before each of `special`; `mark` itself is one of them where it must be.
    package func escaping(
        _ special: Set<Unicode.Scalar>, with mark: Unicode.Scalar = "\\"
    ) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if special.contains(scalar) { escaped.append(mark) }
            escaped.append(scalar)
        }
        return String(escaped)
    }
}

extension Unicode.Scalar {
    fileprivate var isPlain: Bool {
        switch value {
        case 0..<0x20, 0x7f...0x9f, 0x2028...0x202e, 0x2066...0x2069: false
        default: true
        }
    }
}
