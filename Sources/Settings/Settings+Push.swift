extension Settings {
    /// `[push]`: readings from other programs of this router.
    package struct Push: Equatable, Sendable {
        /// `enabled`: whether there is a socket for them.
        package var isEnabled = false

        package init(isEnabled: Bool = false) { self.isEnabled = isEnabled }
    }
}
