/// SHA-256 over a public key (SubjectPublicKeyInfo), as RFC 7469 §2.4 has it: `sha256/` and 44 characters of Base64.
package struct SPKIPin: Hashable, Sendable, CustomStringConvertible {
    package let digest: [UInt8]

    package init(digest: [UInt8]) {
        precondition(digest.count == 32)
        self.digest = digest
    }

    /// Reads `sha256/…`; nil if it is not 32 bytes in Base64.
    package init?(_ text: some StringProtocol) {
        guard text.hasPrefix("sha256/"), let digest = Base64.decode(text.dropFirst(7).utf8),
            digest.count == 32
        else { return nil }
        self.digest = digest
    }

    package var description: String { "sha256/" + Base64.encode(digest) }
}
