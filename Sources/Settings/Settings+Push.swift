extension Settings {
    /// `[push]`: readings from other programs, of this router and of the machine network.
    package struct Push: Equatable, Sendable {
        /// `[[push.client]]`: who may push over the machine network, under its own name only.
        package struct Client: Equatable, Sendable {
            /// `name`: the source of all that it pushes.
            package var name: String
            /// `token-file`: the secret that it shares with the router.
            package var tokenFile: String

            package init(name: String = "", tokenFile: String = "") {
                self.name = name
                self.tokenFile = tokenFile
            }
        }

        /// `enabled`: whether there is a unix socket for programs of this router.
        package var isEnabled = false
        /// `listen`: where clients of the machine network push; nil: nowhere.
        package var listen: Page.Listener?
        package var clients: [Client] = []

        package init(isEnabled: Bool = false) { self.isEnabled = isEnabled }
    }
}
