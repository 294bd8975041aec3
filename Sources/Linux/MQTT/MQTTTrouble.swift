/// Why a connection could not be made, or ended.
package enum MQTTTrouble: Error, Equatable, Sendable {
    /// A PEM file is missing, unreadable or not what it should be. `key` is its name in the config file.
    case file(key: String, why: String)
    case cannotResolve(why: String)
    /// TCP: no route, refused, no answer.
    case unreachable(why: String)
    /// TLS: we do not accept their certificate, or they do not accept ours.
    case tls(why: String)
    /// The broker's CONNACK was a refusal.
    case refused(why: String)
    /// The broker closed an established connection, or the path died.
    case lost(why: String)

    /// In words, with the broker's address where it was involved.
    package func text(_ options: MQTTOptions) -> String {
        switch self {
        case .file(let key, let why): "[cloud] \(key): \(why)"
        case .cannotResolve(let why):
            "\(options.url): cannot resolve \(options.host): \(why)"
        case .unreachable(let why), .tls(let why), .refused(let why), .lost(let why):
            "\(options.url): \(why)"
        }
    }
}

extension MQTTTrouble {
    /// The broker's CONNACK code (MQTT 3.1.1 §3.2.2.3).
    static func connack(_ code: Int32, _ options: MQTTOptions) -> MQTTTrouble {
        switch code {
        case 1: .refused(why: "the broker does not speak MQTT 3.1.1")
        case 2: .refused(why: "the broker refused the client id \"\(options.clientID)\"")
        case 3: .refused(why: "the broker says that its service is unavailable")
        case 4: .refused(why: "the broker refused our user name or password")
        case 5 where options.identity == nil:
            .refused(
                why: options.login == nil
                    ? "not authorised: the broker asks for a user and a password"
                    : "not authorised: the broker refused our user name or password")
        case 5:
            .refused(why: "not authorised: the broker knows our certificate but does not let it in")
        default: .refused(why: "the broker refused the connection (code \(code))")
        }
    }

    /// What OpenSSL's and the library's own lines of error mean; nil if they say nothing about TLS.
    static func reading(log: [String], identity: MQTTIdentity) -> MQTTTrouble? {
        for rule in rules {
            guard log.contains(where: { $0.contains(rule.line) }) else { continue }
            return rule.trouble(identity)
        }
        // That the peer hung up says nothing about TLS.
        let openSSL = log.last { $0.contains("OpenSSL Error") && !$0.contains("unexpected eof") }
        return openSSL.map { .tls(why: "TLS failed: \(reason(of: $0))") }
    }

    private struct Rule: Sendable {
        var line: String
        var trouble: @Sendable (MQTTIdentity) -> MQTTTrouble
    }

    /// The first that matches wins.
    private static let rules: [Rule] = [
        ours("alert unknown ca", "the broker does not know its issuer"),
        ours("alert certificate expired", "it has expired, or the broker's clock is wrong"),
        ours("alert certificate revoked", "it was revoked"),
        ours("alert certificate required", "the broker did not get one"),
        ours("alert bad certificate", "bad certificate"),
        ours("alert unsupported certificate", "not a certificate for clients"),
        ours("alert certificate unknown", "certificate unknown"),
        ours("alert access denied", "access denied"),
        ours("alert decrypt error", "its signature does not fit"),
        Rule(line: "alert protocol version") { _ in
            .tls(why: "the broker speaks neither TLS 1.2 nor 1.3")
        },
        Rule(line: "unsupported protocol") { _ in
            .tls(why: "the broker speaks neither TLS 1.2 nor 1.3")
        },
        // Both sides must name a suite: we name those of `TLSPolicy` only.
        Rule(line: "alert handshake failure") { _ in
            .tls(
                why: "the broker has no cipher suite with forward secrecy and authenticated "
                    + "encryption (ECDHE with AES-GCM or ChaCha20)")
        },
        Rule(line: "wrong version number") { _ in
            .tls(why: "the server does not speak TLS on this port")
        },
    ]

    private static func ours(_ line: String, _ why: String) -> Rule {
        Rule(line: line) {
            .tls(why: "the broker refused our certificate \($0.certificate): \(why)")
        }
    }

    /// The last part of `OpenSSL Error[0]: error:0A000119:SSL routines::bad record mac`.
    private static func reason(of line: String) -> String {
        line.split(separator: ":").last.map { String($0.drop { $0 == " " }) } ?? line
    }
}
