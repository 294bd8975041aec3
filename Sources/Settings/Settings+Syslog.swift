extension Settings {
    /// `[syslog]`: where the event log goes, RFC 5424 over TLS.
    package struct Syslog: Equatable, Sendable {
        /// `server = "tls://host:port"`
        package var server: Endpoint
        /// `ca`, `certificate`, `key`: paths of PEM files; the last two are absent if the server asks for none.
        package var authority: String
        package var certificate: String?
        package var key: String?

        package init(server: Endpoint, authority: String) {
            self.server = server
            self.authority = authority
        }
    }
}
