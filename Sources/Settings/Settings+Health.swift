extension Settings {
    /// `[health]`: the router's own state as a source.
    package struct Health: Equatable, Sendable {
        /// `enabled`: whether it is recorded.
        package var isEnabled = false
        /// `every`: how often, 1 s … 1 d.
        package var every = Duration.seconds(60)

        /// The source of its records: no machine and no program may have this name meanwhile.
        package static let source = "router"

        package init(isEnabled: Bool = false, every: Duration = .seconds(60)) {
            self.isEnabled = isEnabled
            self.every = every
        }
    }
}
