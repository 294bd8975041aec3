/// What a stick has put in force last: what is older is refused from then on.
package struct StickRecord: Equatable, Sendable {
    package var sequence: UInt64
    /// The first digits of the file's SHA-256.
    package var digest: String
    /// The fingerprint of the key that had signed it.
    package var key: String

    package static let fileBytesMax = 256

    package init(sequence: UInt64, digest: String, key: String) {
        self.sequence = sequence
        self.digest = digest
        self.key = key
    }

    package var text: String { "1 \(sequence) \(digest) \(key)\n" }

    /// nil: it is not what `text` writes.
    package init?(_ text: String) {
        let words = text.dropLast().split(separator: " ")
        guard text.last == "\n", words.count == 4, words[0] == "1",
            let sequence = UInt64(words[1]), !words[3].contains(where: \.isNewline)
        else { return nil }
        self.init(sequence: sequence, digest: String(words[2]), key: String(words[3]))
        guard self.text == text else { return nil }
    }
}
