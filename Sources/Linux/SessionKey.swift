private import COpenSSL
import Glibc

/// A private key (P-256) that exists in this process's memory only, and is cleared there with its last user.
///
/// It is never written anywhere: what needs it asks for a signature.
// Safe because: the key is not changed after it was made, and OpenSSL lets several threads sign with one.
package final class SessionKey: @unchecked Sendable {
    private let key: OpaquePointer

    /// Makes a new key pair.
    package init() throws(TLSProblem) {
        ERR_clear_error()
        guard let key = copenssl_new_p256() else {
            throw TLSProblem(part: .library, why: "OpenSSL cannot make a key: \(lastError())")
        }
        self.key = key
    }

    /// OpenSSL overwrites the private number as it frees it (`BN_clear_free`).
    deinit { EVP_PKEY_free(key) }

    /// A certificate request (PKCS#10, RFC 2986) in DER, for the subject of the certificate in a PEM file.
    package func request(forSubjectOf path: String) throws(TLSProblem) -> [UInt8] {
        ERR_clear_error()
        guard let file = BIO_new_file(path, "r") else {
            throw TLSProblem(part: .certificate, why: "cannot read \(path): \(lastError())")
        }
        defer { BIO_free(file) }
        guard let certificate = PEM_read_bio_X509(file, nil, nil, nil) else {
            throw TLSProblem(
                part: .certificate, why: "\(path) holds no usable PEM certificate")
        }
        defer { X509_free(certificate) }
        let request = X509_REQ_new()
        defer { X509_REQ_free(request) }
        guard let request, X509_REQ_set_version(request, 0) == 1,
            X509_REQ_set_subject_name(request, X509_get_subject_name(certificate)) == 1,
            X509_REQ_set_pubkey(request, key) == 1,
            X509_REQ_sign(request, key, EVP_sha256()) > 0,
            let bytes = encoded({ i2d_X509_REQ(request, $0) })
        else {
            throw TLSProblem(
                part: .library, why: "OpenSSL cannot make a request: \(lastError())")
        }
        return bytes
    }

    /// The signature (ECDSA, in DER) of a digest.
    package func sign(digest: [UInt8]) throws(TLSProblem) -> [UInt8] {
        ERR_clear_error()
        let context = EVP_PKEY_CTX_new(key, nil)
        defer { EVP_PKEY_CTX_free(context) }
        var count = Int(EVP_PKEY_get_size(key))
        var signature = [UInt8](repeating: 0, count: max(0, count))
        guard EVP_PKEY_sign_init(context) == 1,
            EVP_PKEY_sign(context, &signature, &count, digest, digest.count) == 1
        else { throw TLSProblem(part: .key, why: "OpenSSL cannot sign: \(lastError())") }
        return Array(signature.prefix(count))
    }

    /// Whether a certificate (`X509 *`) is for this key.
    func isCertified(by certificate: OpaquePointer) -> Bool {
        EVP_PKEY_eq(X509_get0_pubkey(certificate), key) == 1
    }
}

/// What one of OpenSSL's `i2d_` functions writes; nil when it fails.
func encoded(
    _ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32
) -> [UInt8]? {
    let count = encode(nil)
    guard count > 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: Int(count))
    let written = bytes.withUnsafeMutableBufferPointer { buffer in
        var pointer = buffer.baseAddress
        return encode(&pointer)
    }
    return written == count ? bytes : nil
}
