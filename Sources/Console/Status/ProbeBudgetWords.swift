/// What an uplink's probes have taken of the month's budget, in words.
package enum ProbeBudgetWords {
    /// `probes took 1.2 of 5 MB this month, one every 20 s`; nil: it has no budget.
    package static func sentence(_ uplink: StatusDocument.Uplink) -> String? {
        guard let amount = amount(uplink), let interval = uplink.probeIntervalMilliseconds else {
            return nil
        }
        let isSpent = (uplink.probeBytesUsed ?? 0) >= (uplink.probeBytesBudget ?? .max)
        return "probes took \(amount) this month\(isSpent ? ", which is all" : ""), "
            + "one every \(time(interval))"
    }

    /// `1.2 of 5 MB`
    static func amount(_ uplink: StatusDocument.Uplink) -> String? {
        guard let budget = uplink.probeBytesBudget, let used = uplink.probeBytesUsed else {
            return nil
        }
        let units: [(name: String, bytes: Int64)] = [("GB", 1_000_000_000), ("MB", 1_000_000)]
        let unit = units.first { budget >= $0.bytes } ?? ("kB", 1000)
        return "\(tenths(used, of: unit.bytes)) of \(tenths(budget, of: unit.bytes)) \(unit.name)"
    }

    private static func tenths(_ bytes: Int64, of unit: Int64) -> String {
        // Divided first: no count of bytes overflows it.
        let tenths = max(0, bytes) / (unit / 10)
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }

    private static func time(_ milliseconds: Double) -> String {
        guard milliseconds >= 1000 else { return "\(Figure.decimal(milliseconds)) ms" }
        let seconds = Int((min(milliseconds, 1e9) / 1000).rounded())
        return seconds < 120 ? "\(seconds) s" : Figure.age(seconds: seconds)
    }
}
