package import Base

/// One line of OpenVPN's management interface (`management-notes.txt` of OpenVPN 2.6).
package enum ManagementMessage: Equatable, Sendable {
    /// `>HOLD:`: it waits to be released before it connects.
    case hold
    /// `>STATE:`: what the session is doing.
    case state(SessionReport)
    /// `>FATAL:`: why it is about to exit.
    case fatal(String)
    /// `>PASSWORD:Need …`: it wants a user and a password for this proxy.
    case needLogin(proxy: String)
    /// `>PASSWORD:`: it wants another one, or one was refused.
    case password(String)
    /// `>NEED-CERTIFICATE:`: it wants the session's certificate.
    case needCertificate
    /// `>PK_SIGN:`: it wants this signed with the session's key; the algorithm as it names it.
    case sign([UInt8], algorithm: String)
    /// `ERROR:`: a command of ours was refused.
    case refused(String)
    /// `SUCCESS:`, `>INFO:`, and whatever a newer version may say.
    case other

    /// Reads a line; there is none that it does not take.
    package init(_ line: String) {
        if line.hasPrefix(">HOLD:") {
            self = .hold
        } else if let rest = Self.rest(of: line, after: ">STATE:") {
            self = SessionReport(rest).map { .state($0) } ?? .other
        } else if let rest = Self.rest(of: line, after: ">FATAL:") {
            self = .fatal(rest)
        } else if let rest = Self.rest(of: line, after: ">PASSWORD:") {
            let proxy = ["HTTP Proxy", "SOCKS Proxy"].first {
                rest == "Need '\($0)' username/password"
            }
            self = proxy.map { .needLogin(proxy: $0) } ?? .password(rest)
        } else if line.hasPrefix(">NEED-CERTIFICATE:") {
            self = .needCertificate
        } else if let rest = Self.rest(of: line, after: ">PK_SIGN:") {
            let parts = rest.split(separator: ",", maxSplits: 1)
            let bytes = parts.first.flatMap { Base64.decode($0.utf8) }
            self = .sign(bytes ?? [], algorithm: parts.count > 1 ? String(parts[1]) : "")
        } else if let rest = Self.rest(of: line, after: "ERROR:") {
            self = .refused(rest)
        } else {
            self = .other
        }
    }

    private static func rest(of line: String, after prefix: String) -> String? {
        guard line.hasPrefix(prefix) else { return nil }
        return String(line.dropFirst(prefix.count).drop { $0 == " " })
    }
}

/// A `>STATE:` line: `time,state,detail,address,server,port,…`.
package struct SessionReport: Equatable, Sendable {
    package enum State: String, Sendable {
        case connecting = "CONNECTING"
        case resolving = "RESOLVE"
        case tcpConnecting = "TCP_CONNECT"
        case waiting = "WAIT"
        case authenticating = "AUTH"
        case authenticationPending = "AUTH_PENDING"
        case gettingConfig = "GET_CONFIG"
        case assigningAddress = "ASSIGN_IP"
        case addingRoutes = "ADD_ROUTES"
        case connected = "CONNECTED"
        case reconnecting = "RECONNECTING"
        case exiting = "EXITING"
    }

    package var state: State
    /// `SUCCESS`, or why it reconnects: `ping-restart`, `tls-error`, …
    package var detail: String
    /// Our address within the VPN, once there is one.
    package var address: IPv4Address?

    package init(_ state: State, detail: String = "", address: IPv4Address? = nil) {
        self.state = state
        self.detail = detail
        self.address = address
    }

    /// `detail` in words.
    package var words: String {
        switch detail {
        case "ping-restart": "the server fell silent"
        case "tls-error": "the TLS handshake failed"
        case "connection-reset": "the server closed the connection"
        // Sent by us alone.
        case "SIGUSR1": "moving to another uplink"
        default: "OpenVPN reconnects: \(detail)"
        }
    }

    /// Reads the fields after `>STATE:`; nil when the state is none that we know.
    package init?(_ fields: String) {
        let parts = fields.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count >= 2, let state = State(rawValue: String(parts[1])) else { return nil }
        self.state = state
        detail = parts.count > 2 ? String(parts[2]) : ""
        address = parts.count > 3 ? IPv4Address(parts[3]) : nil
    }
}

/// Reads the management interface's bytes.
package struct ManagementParser: Sendable {
    private var splitter = LineSplitter()

    package init() {}

    package mutating func take(_ bytes: some Sequence<UInt8>) -> [ManagementMessage] {
        splitter.take(bytes).map { ManagementMessage($0) }
    }
}
