extension StatusDocument {
    /// What the last drill found.
    package struct Drill: Codable, Equatable, Sendable {
        package var secondsAgo: Int
        package var isGood: Bool
        /// `wifi ok, lte failed at dns`
        package var words: String

        package init(secondsAgo: Int, isGood: Bool, words: String) {
            self.secondsAgo = secondsAgo
            self.isGood = isGood
            self.words = words
        }

        package init(_ report: DrillReport, secondsAgo: Int) {
            self.init(secondsAgo: secondsAgo, isGood: report.isGood, words: report.words)
        }
    }
}
