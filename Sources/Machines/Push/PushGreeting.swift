/// The first two lines between the router and a client of the machine network: the router greets with a number that
/// is used once, the client answers with its name and a proof that it knows its token. The token never travels.
///
///     drawbridge push 1 NONCE
///     auth NAME HMAC-SHA256(token, the line above, without its end)
package struct PushGreeting: Equatable, Sendable {
    /// Without its end.
    package let line: String

    /// `nonce`: random bytes that no other connection has had.
    package init(nonce: [UInt8]) {
        line = "drawbridge push 1 " + Hexadecimal.text(nonce)
    }

    /// A client's answer.
    package struct Answer: Equatable, Sendable {
        package var name: String
        package var proof: [UInt8]

        /// Reads a line without its end; nil: it is none.
        package init?(_ bytes: ArraySlice<UInt8>) {
            var bytes = bytes
            if bytes.last == 13 { bytes = bytes.dropLast() }
            guard bytes.count <= Limits.pushAnswerBytesMax else { return nil }
            let words = bytes.split(separator: 32, omittingEmptySubsequences: false)
            guard words.count == 3, words[0].elementsEqual("auth".utf8),
                (1...Limits.pushedNameBytesMax).contains(words[1].count),
                let name = String(validating: words[1], as: UTF8.self),
                let proof = Hexadecimal.bytes(words[2]), proof.count == 32
            else { return nil }
            self.name = name
            self.proof = proof
        }
    }
}

/// A client's secret, as its file has it.
package struct PushToken: Equatable, Sendable {
    package let bytes: [UInt8]

    /// What a token is, in words.
    package static let words =
        "\(Limits.pushTokenBytesMin) to \(Limits.pushTokenBytesMax) random letters, digits or marks "
        + "(drawbridge push token makes one)"

    /// Nil: too short, or so uniform that it cannot be random.
    package init?(_ bytes: [UInt8]) {
        guard (Limits.pushTokenBytesMin...Limits.pushTokenBytesMax).contains(bytes.count),
            bytes.allSatisfy({ (33...126).contains($0) }),
            Set(bytes).count >= Limits.pushTokenLettersMin
        else { return nil }
        self.bytes = bytes
    }

    /// A new one of 32 random bytes, as 64 hexadecimal digits.
    package static func text(random: [UInt8]) -> String { Hexadecimal.text(random) }
}

private enum Hexadecimal {
    static func text(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    static func bytes(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for letter in text {
            let digit: UInt8
            switch letter {
            case 48...57: digit = letter - 48
            case 65...70: digit = letter - 55
            case 97...102: digit = letter - 87
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return bytes
    }
}
