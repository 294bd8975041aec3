import Base
private import COpenSSL
import Glibc

/// OpenSSL's context for connections to one server under our policy. Whoever dials is handed it by
/// `withUnsafeContext`.
///
/// Used by one thread: OpenSSL calls back on the thread that does the handshake.
package struct TLSContext: ~Copyable {
    /// What the check of the server's certificate found.
    package final class Verdict {
        fileprivate let policy: TLSPolicy
        /// Why the server was refused, in words; nil: it was not, or not yet.
        package fileprivate(set) var refusal: String?

        fileprivate init(_ policy: TLSPolicy) { self.policy = policy }
    }

    private let context: OpaquePointer
    /// The callback's context; as a stored property it outlives `SSL_CTX_free` in `deinit`.
    package let verdict: Verdict

    /// Loads the files; nothing is sent.
    package init(_ policy: TLSPolicy) throws(TLSProblem) {
        verdict = Verdict(policy)
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_client_method()) else {
            throw TLSProblem(part: .library, why: "OpenSSL cannot make a context: \(lastError())")
        }
        if let problem = Self.prepare(context, verdict) {
            SSL_CTX_free(context)
            throw problem
        }
        self.context = context
    }

    /// Puts our policy on an `SSL_CTX` that a library has made for itself, and returns what the check of the
    /// server's certificate will find; the caller keeps that until the library is done.
    package static func impose(
        _ policy: TLSPolicy, on context: UnsafeMutableRawPointer
    ) throws(TLSProblem) -> Verdict {
        let verdict = Verdict(policy)
        ERR_clear_error()
        if let problem = prepare(OpaquePointer(context), verdict) { throw problem }
        return verdict
    }

    deinit { SSL_CTX_free(context) }

    /// The `SSL_CTX *`, valid within `body`; a library that keeps it takes a reference of its own
    /// (`SSL_CTX_up_ref`), and must be done before this value goes: the callback points into it.
    package borrowing func withUnsafeContext<R>(_ body: (UnsafeMutableRawPointer) -> R) -> R {
        body(UnsafeMutableRawPointer(context))
    }

    private static func prepare(_ context: OpaquePointer, _ verdict: Verdict) -> TLSProblem? {
        let policy = verdict.policy
        let parameters = SSL_CTX_get0_param(context)
        // A host that is an address is compared with the certificate's addresses.
        let isAddress = X509_VERIFY_PARAM_set1_ip_asc(parameters, policy.host) == 1
        X509_VERIFY_PARAM_set_hostflags(
            parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        guard copenssl_restrict(context) == 1,
            SSL_CTX_set_cipher_list(context, TLSPolicy.suites) == 1,
            isAddress || X509_VERIFY_PARAM_set1_host(parameters, policy.host, 0) == 1
        else {
            return TLSProblem(part: .library, why: "OpenSSL refuses our policy: \(lastError())")
        }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        // Without it OpenSSL would ask for a passphrase on the terminal.
        SSL_CTX_set_default_passwd_cb(context, noPassphrase)
        guard SSL_CTX_load_verify_file(context, policy.authority) == 1 else {
            return .init(
                part: .authority, why: "\(policy.authority) holds no usable PEM certificate")
        }
        if let certificate = policy.certificate, let key = policy.key,
            let problem = loadIdentity(context, certificate, key)
        {
            return problem
        }
        SSL_CTX_set_cert_verify_callback(
            context, whenVerifying, Unmanaged.passUnretained(verdict).toOpaque())
        return nil
    }

    private static func loadIdentity(
        _ context: OpaquePointer, _ certificate: String, _ key: String
    ) -> TLSProblem? {
        guard SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
            return .init(
                part: .certificate, why: "\(certificate) holds no usable PEM certificate")
        }
        let isLoaded = SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1
        let why = lastError()
        guard isLoaded || why.contains("mismatch") else {
            return .init(
                part: .key,
                why: "\(key) holds no usable PEM key (a key with a passphrase is none)")
        }
        guard isLoaded, SSL_CTX_check_private_key(context) == 1 else {
            return .init(
                part: .key, why: "\(key) is not the key of \(certificate)")
        }
        return nil
    }
}

/// Why no connection can be begun at all.
package struct TLSProblem: Error, Equatable, Sendable {
    package enum Part: Sendable { case library, authority, certificate, key }
    package var part: Part
    package var why: String

    package init(part: Part, why: String) {
        self.part = part
        self.why = why
    }
}

/// The oldest of OpenSSL's errors on this thread, which is the cause; the others are taken off.
func lastError() -> String {
    let code = ERR_get_error()
    ERR_clear_error()
    guard let text = ERR_reason_error_string(code) else { return "unknown error" }
    return String(cString: text)
}

// File-level functions: a closure written in an isolated context would trap on a foreign thread.

private func noPassphrase(
    _: UnsafeMutablePointer<CChar>?, _: Int32, _: Int32, _: UnsafeMutableRawPointer?
) -> Int32 { 0 }

/// Checks the chain as OpenSSL does, then the pins, and notes in words what is wrong.
private func whenVerifying(_ store: OpaquePointer?, _ context: UnsafeMutableRawPointer?) -> Int32 {
    guard let context, let store else { return 0 }
    let verdict = Unmanaged<TLSContext.Verdict>.fromOpaque(context).takeUnretainedValue()
    let policy = verdict.policy
    verdict.refusal = nil
    guard X509_verify_cert(store) == 1 else {
        verdict.refusal = refusal(store, policy)
        return 0
    }
    guard !policy.pins.isEmpty else { return 1 }
    let chain = X509_STORE_CTX_get0_chain(store)
    for index in 0..<copenssl_chain_count(chain) {
        var digest = [UInt8](repeating: 0, count: 32)
        guard copenssl_spki_sha256(copenssl_chain_at(chain, index), &digest) == 1 else { continue }
        if policy.pins.contains(SPKIPin(digest: digest)) { return 1 }
    }
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION)
    verdict.refusal =
        "the keys of the server are none of the pinned ones, though \(policy.authority) signed them; "
        + "somebody may be intercepting TLS, or the server's key was changed"
    return 0
}

private func refusal(_ store: OpaquePointer, _ policy: TLSPolicy) -> String {
    let code = X509_STORE_CTX_get_error(store)
    let current = X509_STORE_CTX_get_current_cert(store) ?? X509_STORE_CTX_get0_cert(store)
    switch code {
    case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
        let isFor = firstName(X509_STORE_CTX_get0_cert(store)).map { ", \($0)" } ?? ""
        return "the certificate of the server is for another host name\(isFor)"
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return "the certificate of the server has expired (is our clock right?)"
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "the certificate of the server is not valid yet (is our clock right?)"
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return "the certificate of the server is signed by itself, not by \(policy.authority)"
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
        X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
        X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        let issuer = current.flatMap { commonName(X509_get_issuer_name($0)) } ?? "an unknown issuer"
        return "the certificate of the server is signed by \"\(issuer)\", which is not in "
            + "\(policy.authority); a proxy on the way may be intercepting TLS"
    case X509_V_ERR_INVALID_PURPOSE:
        return "the certificate of the server is not one for servers"
    default:
        let words = X509_verify_cert_error_string(Int(code)).map { String(cString: $0) }
        return "the certificate of the server is refused: \(words ?? "error \(code)")"
    }
}

/// Printable characters only: what a stranger's certificate says goes into our log.
private func plain(_ bytes: some Sequence<CChar>) -> String {
    String(
        String(decoding: bytes.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            .unicodeScalars.map { $0.isASCII && $0.value >= 0x20 && $0.value < 0x7f ? $0 : "?" }
            .map { Character($0) })
}

private func commonName(_ name: OpaquePointer?) -> String? {
    guard let name else { return nil }
    var buffer = [CChar](repeating: 0, count: 65)
    let length = copenssl_common_name(name, &buffer, Int32(buffer.count))
    return length > 0 ? plain(buffer.prefix(min(Int(length), 64))) : nil
}

private func firstName(_ certificate: OpaquePointer?) -> String? {
    guard let certificate else { return nil }
    var buffer = [CChar](repeating: 0, count: 128)
    let length = copenssl_first_dns_name(certificate, &buffer, Int32(buffer.count))
    return length > 0
        ? plain(buffer.prefix(Int(length))) : commonName(X509_get_subject_name(certificate))
}
