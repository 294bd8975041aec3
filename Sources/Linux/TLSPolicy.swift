package import Base
import Glibc

/// What must hold of every TLS connection that we begin, and whom it may be with.
///
/// TLS 1.2 or 1.3; only suites with forward secrecy and authenticated encryption; the server's certificate is
/// valid today, comes from our authority and is for its host; we show our own certificate, if there is one for
/// this server. With pins, the
/// chain must also hold one of the pinned keys, so that an authority that was made to sign for somebody else
/// (or a proxy that intercepts) does not suffice.
package struct TLSPolicy: Equatable, Sendable {
    /// The server's name, or its IPv4 address.
    package var host: String
    /// Paths of PEM files; without `certificate` we show none.
    package var authority: String
    package var certificate: String?
    package var key: String?
    /// Keys of the server's chain, any one of which suffices; empty: none is asked for.
    package var pins: [SPKIPin]

    package init(
        host: String, authority: String, certificate: String?, key: String?, pins: [SPKIPin] = []
    ) {
        self.host = host
        self.authority = authority
        self.certificate = certificate
        self.key = key
        self.pins = pins
    }

    /// Suites of TLS 1.2 in OpenSSL's words; all of TLS 1.3's are of this kind.
    static let suites = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"

    /// Why the private key is not private; nil if only its owner may read it, or if it is not there.
    package static func complaint(aboutKey path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        let mode = status.st_mode & 0o777
        guard mode & 0o077 != 0 else { return nil }
        return "\(path) may be read by others (mode \(String(mode, radix: 8))); "
            + "say: chmod 600 \(path)"
    }
}
