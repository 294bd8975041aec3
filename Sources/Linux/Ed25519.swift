import Base
private import COpenSSL
import Glibc

/// Why a key file cannot be used.
package struct KeyProblem: Error, Equatable, CustomStringConvertible, Sendable {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// A public key for Ed25519 signatures (RFC 8032).
package struct Ed25519PublicKey: Equatable, Sendable {
    /// The key itself, 32 bytes.
    package let raw: [UInt8]

    package static let signatureBytes = 64

    /// What comes before the key in a SubjectPublicKeyInfo (RFC 8410 §4), in DER.
    private static let prefix: [UInt8] = [
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
    ]

    /// The first digits of the SHA-256 of the key as `openssl pkey -pubin -outform DER` writes it.
    package var fingerprint: String {
        "SHA256:" + SHA256.hex(Self.prefix + raw).prefix(16)
    }

    /// Whether this key has made the signature. The corresponding C function is `EVP_DigestVerify`.
    package func hasSigned(_ message: [UInt8], _ signature: [UInt8]) -> Bool {
        guard signature.count == Self.signatureBytes else { return false }
        ERR_clear_error()
        defer { ERR_clear_error() }
        let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, raw, raw.count)
        defer { EVP_PKEY_free(key) }
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        guard let key, let context, EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else {
            return false
        }
        return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    /// The keys of a PEM file, which holds nothing else that PEM can hold.
    package static func all(inPEM bytes: [UInt8], most: Int) throws(KeyProblem)
        -> [Ed25519PublicKey]
    {
        let begins = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            .count { $0.hasPrefix("-----BEGIN ") }
        guard begins > 0 else { throw KeyProblem("it holds no public key in PEM") }
        guard begins <= most else { throw KeyProblem("it holds \(begins) keys, at most \(most)") }
        ERR_clear_error()
        defer { ERR_clear_error() }
        let file = BIO_new_mem_buf(bytes, Int32(bytes.count))
        defer { BIO_free(file) }
        var keys: [Ed25519PublicKey] = []
        for number in 1...begins {
            let key = PEM_read_bio_PUBKEY(file, nil, nil, nil)
            defer { EVP_PKEY_free(key) }
            guard let key else { throw KeyProblem("number \(number) in it is no public key") }
            guard let raw = rawPublicKey(key) else {
                throw KeyProblem("number \(number) in it is no Ed25519 key")
            }
            keys.append(Ed25519PublicKey(raw: raw))
        }
        return keys
    }
}

/// A private key for Ed25519 signatures, on the computer of whoever signs.
// Safe because: the key is not changed after it was read, and OpenSSL lets several threads sign with one.
package final class Ed25519PrivateKey: @unchecked Sendable {
    private let key: OpaquePointer
    package let publicKey: Ed25519PublicKey

    /// Reads a PEM file; asks on the terminal for its passphrase if it has one.
    package init(_ path: String) throws(KeyProblem) {
        ERR_clear_error()
        guard let file = BIO_new_file(path, "r") else {
            throw KeyProblem("cannot read \(path): \(String(cString: strerror(errno)))")
        }
        defer { BIO_free(file) }
        guard let key = PEM_read_bio_PrivateKey(file, nil, nil, nil) else {
            throw KeyProblem("\(path) holds no usable private key in PEM: \(lastError())")
        }
        guard let raw = rawPublicKey(key) else {
            EVP_PKEY_free(key)
            throw KeyProblem(
                "\(path) holds no Ed25519 key; make one: openssl genpkey -algorithm ed25519")
        }
        self.key = key
        publicKey = Ed25519PublicKey(raw: raw)
    }

    deinit { EVP_PKEY_free(key) }

    /// The signature, 64 bytes. The corresponding C function is `EVP_DigestSign`.
    package func sign(_ message: [UInt8]) throws(KeyProblem) -> [UInt8] {
        ERR_clear_error()
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        var count = Ed25519PublicKey.signatureBytes
        var signature = [UInt8](repeating: 0, count: count)
        guard let context, EVP_DigestSignInit(context, nil, nil, nil, key) == 1,
            EVP_DigestSign(context, &signature, &count, message, message.count) == 1,
            count == signature.count
        else { throw KeyProblem("OpenSSL cannot sign: \(lastError())") }
        return signature
    }
}

/// The 32 bytes of an Ed25519 key; nil for any other.
private func rawPublicKey(_ key: OpaquePointer) -> [UInt8]? {
    guard EVP_PKEY_is_a(key, "ED25519") == 1 else { return nil }
    var count = 32
    var raw = [UInt8](repeating: 0, count: count)
    guard EVP_PKEY_get_raw_public_key(key, &raw, &count) == 1, count == raw.count else {
        return nil
    }
    return raw
}
