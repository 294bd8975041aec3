/// A number of bytes, as people write it: `"8GB"` is 8,000,000,000 and `"8GiB"` is 8,589,934,592.
package struct ByteSize: Hashable, Comparable, Sendable {
    package var bytes: Int64

    package init(bytes: Int64) {
        self.bytes = bytes
    }

    private static let units: [(name: String, bytes: Int64)] = [
        ("TiB", 1 << 40), ("TB", 1_000_000_000_000), ("GiB", 1 << 30), ("GB", 1_000_000_000),
        ("MiB", 1 << 20), ("MB", 1_000_000), ("KiB", 1 << 10), ("kB", 1_000), ("KB", 1_000),
        ("B", 1),
    ]

    /// Reads a text such as `"64MiB"`; nil if it is not a size (a bare number is not: it has no unit).
    package init?(_ text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let name = text.dropFirst(digits.count)
        guard let number = Int64(digits),
            let unit = Self.units.first(where: { $0.name == name })
        else { return nil }
        let (product, overflows) = number.multipliedReportingOverflow(by: unit.bytes)
        guard !overflows else { return nil }
        bytes = product
    }

    /// The size exactly, in a form that `init(_:)` reads back: `"8GB"`, `"64MiB"`.
    package var exactText: String {
        let unit = Self.units.first { bytes != 0 && bytes % $0.bytes == 0 }
        return unit.map { "\(bytes / $0.bytes)\($0.name)" } ?? "\(bytes)B"
    }

    package static func < (a: ByteSize, b: ByteSize) -> Bool { a.bytes < b.bytes }
}

extension ByteSize: CustomStringConvertible {
    /// The size in the largest decimal unit that keeps three figures: `"8.00 GB"`, `"512 B"`.
    package var description: String {
        for (name, unit) in [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)]
        where Double(bytes) >= unit {
            let hundredths = Int64((Double(bytes) / unit * 100).rounded())
            let fraction = hundredths % 100
            return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) \(name)"
        }
        return "\(bytes) B"
    }
}
