extension Settings {
    /// `03:00`: a time of the day on the router's clock.
    package struct TimeOfDay: Equatable, Sendable, CustomStringConvertible {
        /// Since midnight, 0…1439.
        package let minutes: Int

        /// nil: it is not written so.
        package init?(_ text: String) {
            let digits = text.utf8.map { Int($0) - 48 }
            guard digits.count == 5, digits[2] == 10,
                [0, 1, 3, 4].allSatisfy({ (0...9).contains(digits[$0]) })
            else { return nil }
            let (hour, minute) = (digits[0] * 10 + digits[1], digits[3] * 10 + digits[4])
            guard hour < 24, minute < 60 else { return nil }
            minutes = hour * 60 + minute
        }

        package var description: String {
            func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
            return "\(two(minutes / 60)):\(two(minutes % 60))"
        }
    }
}
