package import Base
package import Settings

/// What the service needs of the house that it configures.
package protocol ConfiguredHouse: Sendable {
    /// How long going from one to the other must be on trial; nil: it cannot cut us off.
    func trial(from old: Settings, to new: Settings) -> Duration?

    /// Brings settings into force, for a time or for good; when it throws, what was in force still is.
    ///
    /// For a time means that the kernel takes the firewall's part back by itself; of the rest the caller does.
    func apply(_ settings: Settings, onTrialFor time: Duration?) async throws
        -> AppliedConfiguration

    /// Whether the cloud session has worked since `apply` over what that brought.
    func hasProvenItself() async -> Bool

    /// Makes permanent what is on trial; throws when its time is over.
    func confirm() async throws
}

/// What came of `ConfiguredHouse.apply`.
package struct AppliedConfiguration: Equatable, Sendable {
    /// The rooms that were built anew.
    package var touched: [String]
    /// When it is taken back unless it is confirmed; nil: it is permanent.
    package var trialEnds: Instant?

    package init(touched: [String], trialEnds: Instant? = nil) {
        self.touched = touched
        self.trialEnds = trialEnds
    }
}

/// Why `drawbridge confirm` did nothing.
package enum ConfirmationError: Error, Equatable, CustomStringConvertible {
    case nothingOnTrial
    case tooLate(reason: String)

    package var description: String {
        switch self {
        case .nothingOnTrial: "nothing is on trial: there is nothing to confirm"
        case .tooLate(let reason): "not confirmed: \(reason)"
        }
    }
}
