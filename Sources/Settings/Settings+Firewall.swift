extension Settings {
    /// `[firewall]`: what may cross besides what is always closed.
    package struct Firewall: Equatable, Sendable {
        /// Where the machines may connect to over the uplinks.
        package enum LANToWAN: String, CaseIterable, Sendable {
            case neither
            case `private`
            case `public`
            case both

            /// As in "machines may reach …".
            var words: String {
                switch self {
                case .neither: "nothing"
                case .private: "private networks"
                case .public: "the internet"
                case .both: "everything"
                }
            }
        }

        /// `lan-to-wan`
        package var lanToWAN: LANToWAN

        package init(lanToWAN: LANToWAN = .neither) {
            self.lanToWAN = lanToWAN
        }
    }
}
