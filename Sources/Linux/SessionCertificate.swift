package import Base
private import COpenSSL
import Glibc

/// A certificate for a `SessionKey`, as an enrolment server issued it.
package struct SessionCertificate: Equatable, Sendable {
    /// The certificate, then those between it and its authority, in PEM.
    package var pem: String
    /// In hexadecimal digits.
    package var serial: String
    package var notBefore: WallTime
    package var notAfter: WallTime

    package init(pem: String, serial: String, notBefore: WallTime, notAfter: WallTime) {
        self.pem = pem
        self.serial = serial
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    /// Most certificates in one answer.
    private static let certificatesMax: Int32 = 4

    /// Reads a "certs-only" message (RFC 7030 §4.2.3, PKCS #7 in DER), which must hold a certificate for the key.
    ///
    /// Who signed it is not checked: whoever it is shown to does that.
    package init(certsOnly message: [UInt8], for key: SessionKey) throws(TLSProblem) {
        ERR_clear_error()
        let parsed = message.withUnsafeBufferPointer { bytes in
            var next = bytes.baseAddress
            return d2i_PKCS7(nil, &next, bytes.count)
        }
        defer { PKCS7_free(parsed) }
        guard let parsed, let chain = copenssl_certificates(parsed) else {
            throw TLSProblem(part: .certificate, why: "no certificate is in it")
        }
        let count = copenssl_chain_count(chain)
        guard count <= Self.certificatesMax else {
            throw TLSProblem(part: .certificate, why: "\(count) certificates are in it")
        }
        let all = (0..<count).compactMap { copenssl_chain_at(chain, $0) }
        guard let own = all.first(where: { key.isCertified(by: $0) }) else {
            throw TLSProblem(part: .certificate, why: "it is for another key than ours")
        }
        let others = all.filter { $0 != own && X509_self_signed($0, 0) == 0 }
        let texts = ([own] + others).compactMap { Self.pem($0) }
        guard texts.count == 1 + others.count, let serial = Self.serial(own)
        else { throw TLSProblem(part: .certificate, why: "it cannot be read: \(lastError())") }
        self.init(
            pem: texts.joined(), serial: serial,
            notBefore: Self.time(X509_get0_notBefore(own)),
            notAfter: Self.time(X509_get0_notAfter(own)))
    }

    private static func pem(_ certificate: OpaquePointer) -> String? {
        guard let bytes = encoded({ i2d_X509(certificate, $0) }) else { return nil }
        let text = Array(Base64.encode(bytes).utf8)
        let lines = stride(from: 0, to: text.count, by: 64).map {
            String(decoding: text[$0..<min($0 + 64, text.count)], as: UTF8.self)
        }
        return (["-----BEGIN CERTIFICATE-----"] + lines + ["-----END CERTIFICATE-----", ""])
            .joined(separator: "\n")
    }

    private static func serial(_ certificate: OpaquePointer) -> String? {
        guard let number = X509_get0_serialNumber(certificate) else { return nil }
        guard let data = ASN1_STRING_get0_data(number) else { return nil }
        // RFC 5280 allows 20 bytes; what is longer would only fill the log.
        let bytes = UnsafeBufferPointer(start: data, count: Int(ASN1_STRING_length(number)))
        return bytes.prefix(20).map {
            String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
        }.joined()
    }

    private static func time(_ time: UnsafePointer<ASN1_TIME>?) -> WallTime {
        WallTime(milliseconds: copenssl_seconds(time) * 1000)
    }
}
