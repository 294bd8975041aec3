/// SHA-256 over a public key (SubjectPublicKeyInfo), as RFC 7469 §2.4 has it: `sha256/` and 44 characters of Base64.
package struct SPKIPin: Hashable, Sendable, CustomStringConvertible {
    package let digest: [UInt8]

    package init(digest: [UInt8]) {
        precondition(digest.count == 32)
        self.digest = digest
    }

    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Reads `sha256/…`; nil if it is not 32 bytes in Base64.
    package init?(_ text: some StringProtocol) {
        guard text.hasPrefix("sha256/") else { return nil }
        let characters = Array(text.dropFirst(7).utf8)
        guard characters.count == 44, characters.last == UInt8(ascii: "=") else { return nil }
        var digest: [UInt8] = []
        var (bits, count) = (UInt32(0), 0)
        for character in characters.dropLast() {
            guard let value = Self.alphabet.firstIndex(of: character) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                digest.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        // 43 characters carry 258 bits: the last two must be zero, or two texts would mean one pin.
        guard digest.count == 32, bits & 0b11 == 0 else { return nil }
        self.digest = digest
    }

    package var description: String {
        var text = "sha256/"
        for start in stride(from: 0, to: 32, by: 3) {
            let group = digest[start..<min(start + 3, 32)]
            let bits =
                group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << (group.count == 2 ? 8 : 0)
            for place in 0..<(group.count + 1) {
                let value = bits >> UInt32(18 - 6 * place) & 63
                text.unicodeScalars.append(Unicode.Scalar(Self.alphabet[Int(value)]))
            }
            if group.count == 2 { text += "=" }
        }
        return text
    }
}
