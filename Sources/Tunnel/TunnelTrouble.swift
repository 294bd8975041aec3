/// Finds, among the lines that OpenVPN logs, the one that says best why a session failed.
package struct TunnelTrouble: Sendable {
    private struct Sign {
        var text: String
        /// How much it explains: a symptom does not replace a cause.
        var rank: Int
        /// What it means, when the line itself does not say it well.
        var meaning: String?

        init(_ text: String, rank: Int, _ meaning: String? = nil) {
            self.text = text
            self.rank = rank
            self.meaning = meaning
        }
    }

    private static let noLogin = "the proxy does not take our user and password"

    private static let signs = [
        Sign("AUTH_FAILED", rank: 3, "the server refuses us (AUTH_FAILED)"),
        Sign("VERIFY ERROR", rank: 3),
        Sign("VERIFY X509NAME ERROR", rank: 3),
        Sign("VERIFY KU ERROR", rank: 3),
        Sign("VERIFY EKU ERROR", rank: 3),
        Sign("alert certificate expired", rank: 3, "the server says our certificate has expired"),
        Sign("alert unknown ca", rank: 3, "the server does not know our certificate's authority"),
        Sign("alert certificate revoked", rank: 3, "the server says our certificate is revoked"),
        Sign("tls-crypt unwrap", rank: 3, "the server's tls-crypt key is not ours"),
        Sign("Options error", rank: 3),
        Sign("Cannot load", rank: 3),
        Sign("Cannot open TUN/TAP", rank: 3),
        Sign("Cannot ioctl TUNSETIFF", rank: 3),
        Sign("ERROR:", rank: 3),
        // With NTLM also a step on the way; what ends it explains more.
        Sign("HTTP proxy returned: 'HTTP/1.0 407", rank: 2, noLogin),
        Sign("HTTP proxy returned: 'HTTP/1.1 407", rank: 2, noLogin),
        // What tinyproxy says.
        Sign("HTTP proxy returned: 'HTTP/1.0 401", rank: 2, noLogin),
        Sign("server refused the authentication", rank: 3, noLogin),
        Sign(
            "we were not provided any credentials", rank: 3,
            "the proxy asks for a login: set vpn.proxy-login"),
        Sign("HTTP proxy returned: 'HTTP/1.0 200", rank: -1),
        Sign("HTTP proxy returned: 'HTTP/1.1 200", rank: -1),
        Sign("HTTP proxy returned: '", rank: 2),
        Sign("Socks proxy returned bad", rank: 2, "the proxy does not let us reach the server"),
        Sign("Connection refused", rank: 2, "nothing listens at the server's port"),
        Sign("Network is unreachable", rank: 2, "no uplink leads to the server"),
        Sign("No route to host", rank: 2, "no uplink leads to the server"),
        Sign("Operation not permitted", rank: 2, "the firewall does not let us reach the server"),
        Sign("TLS key negotiation failed", rank: 1, "the server does not answer"),
        Sign("Server poll timeout", rank: 1, "the server does not answer"),
        Sign("Inactivity timeout", rank: 1, "the server fell silent"),
        Sign("Connection reset", rank: 1, "the server closed the connection"),
        Sign("TLS handshake failed", rank: 0, "TLS handshake failed"),
    ]

    /// Longest reason that is kept, in characters.
    package static let reasonMax = 200

    /// The best explanation so far; nil while nothing was wrong.
    package private(set) var reason: String?
    private var rank = -1

    package init() {}

    /// Looks at a line of the log; of two equally good ones the first stays: it is nearer to the cause.
    package mutating func consider(_ line: String) {
        guard let sign = Self.signs.first(where: { line.contains($0.text) }), sign.rank > rank
        else { return }
        rank = sign.rank
        reason = sign.meaning ?? String(line.prefix(Self.reasonMax))
    }
}
