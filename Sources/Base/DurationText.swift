/// Durations as people write them in the config file: `"500ms"`, `"2s"`, `"1h"`, `"1m30s"`.
package enum DurationText {
    /// Unit names, longest unit first, with their length in nanoseconds.
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000),
        ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000),
    ]

    /// Reads a text such as `"1m30s"`; nil if it is not a duration (a bare number is not: it has no unit).
    package static func parse(_ text: String) -> Duration? {
        var rest = Substring(text)
        var total: Int64 = 0
        var parts = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard let number = Int64(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let letters = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(letters.count)
            guard let unit = units.first(where: { $0.name == letters }) else { return nil }
            let (product, productOverflows) = number.multipliedReportingOverflow(
                by: unit.nanoseconds)
            let (sum, sumOverflows) = total.addingReportingOverflow(product)
            guard !productOverflows, !sumOverflows else { return nil }
            total = sum
            parts += 1
        }
        return parts > 0 ? .nanoseconds(total) : nil
    }

    /// Writes a duration exactly, in a form that `parse` reads back (down to microseconds).
    package static func format(_ duration: Duration) -> String {
        var rest = max(0, duration.nanoseconds)
        var text = ""
        for unit in units where rest >= unit.nanoseconds {
            text += "\(rest / unit.nanoseconds)\(unit.name)"
            rest %= unit.nanoseconds
        }
        return text.isEmpty ? "0s" : text
    }
}
