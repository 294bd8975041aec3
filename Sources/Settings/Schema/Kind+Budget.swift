import Base

extension Kind where Value == Settings.ProbeBudget {
    /// `"5MB"`, or `"none"` for as much as it takes.
    static func budget(_ range: ClosedRange<ByteSize>) -> Kind {
        let size = Kind<ByteSize>.size(range)
        return .quoted(
            "a size", hint: "a size with a unit, such as \"5MB\", or \"none\"", range: size.range,
            text: { budget in
                switch budget {
                case .unlimited: "none"
                case .monthly(let bytes): size.text(bytes)
                }
            }
        ) { text throws(Refusal) in
            if text == "none" { return .unlimited }
            guard let bytes = ByteSize(text) else { return nil }
            guard range.contains(bytes) else {
                throw Refusal("is out of range; write \(size.range), or \"none\"")
            }
            return .monthly(bytes)
        }
    }
}
