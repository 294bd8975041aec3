private import COpenSSL
import Glibc

/// HMAC-SHA256 (RFC 2104), for proofs that two sides know the same secret. The corresponding C function is `HMAC`.
package enum KeyedHash {
    /// The 32 bytes of the proof.
    package static func sha256(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        let made = HMAC(
            EVP_sha256(), key, Int32(key.count), message, message.count, &digest, &length)
        precondition(made != nil && length == 32, "OpenSSL has HMAC-SHA256")
        return digest
    }

    /// Whether two proofs are the same, in a time that says nothing of where they differ. The corresponding C
    /// function is `CRYPTO_memcmp`.
    package static func areEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
    }
}

/// Bytes that nobody can guess. The corresponding C function is `getentropy`.
package enum Entropy {
    /// At most 256 bytes.
    package static func bytes(_ count: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        _ = try check("get random bytes") { getentropy(&bytes, count) }
        return bytes
    }
}
