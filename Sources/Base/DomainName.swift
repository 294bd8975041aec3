/// A DNS name in lower case without its final dot, for example `mqtt.ixon.net` (RFC 1035 §2.3).
package struct DomainName: Hashable, Sendable, CustomStringConvertible {
    /// The labels from the host to the top level, each 1…63 bytes.
    package let labels: [String]

    /// Longest name in text form (RFC 1035 §2.3.4: 255 bytes on the wire).
    package static let lengthMax = 253

    /// Reads a name; nil unless every label is letters, digits, `-` or `_`, 1…63 bytes, no `-` at its ends.
    package init?(_ text: some StringProtocol) {
        let trimmed = text.hasSuffix(".") ? text.dropLast() : text[...]
        self.init(
            labels: trimmed.split(separator: ".", omittingEmptySubsequences: false).map {
                String($0)
            })
    }

    package init?(labels: [String]) {
        // Some characters beyond ASCII have an ASCII letter for their lower case (U+212A becomes k).
        guard labels.allSatisfy({ $0.utf8.allSatisfy { $0 < 128 } }) else { return nil }
        let lowered = labels.map { $0.lowercased() }
        guard !lowered.isEmpty, lowered.allSatisfy({ Self.isLabel($0) }) else { return nil }
        guard lowered.reduce(-1, { $0 + $1.utf8.count + 1 }) <= Self.lengthMax else { return nil }
        self.labels = lowered
    }

    private static func isLabel(_ label: String) -> Bool {
        (1...63).contains(label.utf8.count)
            && label.utf8.allSatisfy { byte in
                (97...122).contains(byte) || (48...57).contains(byte) || byte == 45 || byte == 95
            } && label.first != "-" && label.last != "-"
    }

    package var description: String { labels.joined(separator: ".") }
}

/// An entry of the allow-list: one name, or `*.suffix` for every name below the suffix.
///
/// `*.ixon.net` matches `a.ixon.net` and `b.a.ixon.net`, but neither `ixon.net` nor `evilixon.net`.
package struct DomainPattern: Hashable, Sendable, CustomStringConvertible {
    package let name: DomainName
    package let isWildcard: Bool

    /// Reads `"mqtt.ixon.net"` or `"*.ixon.net"`; a wildcard anywhere else, or over a whole top level, is refused.
    package init?(_ text: String) {
        isWildcard = text.hasPrefix("*.")
        guard let name = DomainName(isWildcard ? text.dropFirst(2) : text[...]) else { return nil }
        guard !isWildcard || name.labels.count >= 2 else { return nil }
        self.name = name
    }

    package func matches(_ candidate: DomainName) -> Bool {
        guard isWildcard else { return candidate == name }
        return candidate.labels.count > name.labels.count
            && candidate.labels.suffix(name.labels.count).elementsEqual(name.labels)
    }

    package var description: String { (isWildcard ? "*." : "") + name.description }
}
