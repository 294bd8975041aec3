package import Base

/// Which config file runs, and what is wrong with the one that lies there now.
package struct ConfigurationStatus: Equatable, Sendable {
    package var file: String
    /// Its number in the history; nil: it could not be kept there.
    package var number: Int?
    /// Since when it is in force.
    package var since: Instant
    /// What is wrong with what was written since, a line each with file, line and column; empty: nothing.
    package var refused: [String]
    /// The rooms that the last change built anew.
    package var touched: [String]

    /// When what runs is taken back unless it is confirmed; nil: it is permanent.
    package var trialEnds: Instant?

    package init(file: String, number: Int? = nil, since: Instant) {
        self.file = file
        self.number = number
        self.since = since
        refused = []
        touched = []
    }
}
