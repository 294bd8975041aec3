import Base

/// Numbers, flags, names and paths.
extension Kind where Value == Bool {
    static let flag = Kind("a yes or no", hint: "true or false", text: { "\($0)" }) { value in
        if case .boolean(let flag) = value { flag } else { nil }
    }
}

extension Kind where Value: FixedWidthInteger & Sendable {
    static func integer(_ range: ClosedRange<Value>) -> Kind {
        let words = "\(range.lowerBound) to \(range.upperBound)"
        return Kind(
            "a whole number", hint: "a whole number, \(words)", range: words, text: { "\($0)" }
        ) { value throws(Refusal) in
            guard case .integer(let number) = value else { return nil }
            guard let fitting = Value(exactly: number), range.contains(fitting) else {
                throw Refusal("is out of range; write \(words)")
            }
            return fitting
        }
    }
}

extension Kind where Value == Double {
    /// A factor that raw values are multiplied with.
    static let factor = Kind("a number", hint: "a number, such as 0.1", text: { "\($0)" }) {
        value throws(Refusal) in
        let number: Double
        switch value {
        case .float(let float): number = float
        case .integer(let integer): number = Double(integer)
        default: return nil
        }
        guard number.isFinite, number != 0 else {
            throw Refusal("is not a factor; write a number other than 0")
        }
        return number
    }
}

extension Kind where Value == Double {
    /// How far two numbers may be apart.
    static let distance = Kind(
        "a number", hint: "a number that is not negative, such as 0.5", range: "0 or more",
        text: { $0 == $0.rounded() && $0 < 1e15 ? "\(Int($0))" : "\($0)" }
    ) { value throws(Refusal) in
        let number: Double
        switch value {
        case .float(let float): number = float
        case .integer(let integer): number = Double(integer)
        default: return nil
        }
        guard number.isFinite, number >= 0 else {
            throw Refusal("is out of range; write 0 or more")
        }
        return number
    }
}

extension Kind where Value == Duration {
    static func duration(_ range: ClosedRange<Duration>) -> Kind {
        let words = [range.lowerBound, range.upperBound].map(DurationText.format)
            .joined(separator: " to ")
        return .quoted(
            "a duration", hint: "a whole number with a unit (ms, s, m, h or d), such as \"2s\"",
            range: words,
            text: DurationText.format
        ) { text throws(Refusal) in
            guard let duration = DurationText.parse(text) else {
                let meant = text.filter { $0 != " " }.lowercased()
                guard DurationText.parse(meant) != nil else { return nil }
                throw Refusal("is not a duration; did you mean \"\(meant)\"?")
            }
            guard range.contains(duration) else {
                throw Refusal("is out of range; write \(words)")
            }
            return duration
        }
    }
}

extension Kind where Value == ByteSize {
    static func size(_ range: ClosedRange<ByteSize>) -> Kind {
        let words = "\(range.lowerBound.exactText) to \(range.upperBound.exactText)"
        return .quoted(
            "a size", hint: "a whole number with a unit (MB, GB, MiB or GiB), such as \"8GB\"",
            range: words,
            text: \.exactText
        ) { text throws(Refusal) in
            guard let size = ByteSize(text) else {
                let meant = text.filter { $0 != " " }.uppercased()
                guard ByteSize(meant) != nil else { return nil }
                throw Refusal("is not a size; did you mean \"\(meant)\"?")
            }
            guard range.contains(size) else { throw Refusal("is out of range; write \(words)") }
            return size
        }
    }
}

extension Kind where Value: RawRepresentable<String> & CaseIterable & Sendable {
    /// One of a few words.
    static func choice() -> Kind {
        let words = Value.allCases.map { "\"\($0.rawValue)\"" }
        let list =
            words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
        return .quoted("known here", hint: list, range: list, text: \.rawValue) { text in
            Value(rawValue: text)
        }
    }
}

extension Kind where Value == String {
    /// A name of letters, digits and the `marks`.
    private static func name(
        _ noun: String, example: String, bytesMax: Int, marks: String, words: String
    ) -> Kind {
        let range = "1 to \(bytesMax) \(words)"
        return .quoted(noun, hint: "\(range), such as \"\(example)\"", range: range) {
            text throws(Refusal) in
            guard !text.isEmpty else { return nil }
            guard text.utf8.count <= bytesMax else {
                throw Refusal("is \(text.utf8.count) bytes long; at most \(bytesMax) are allowed")
            }
            let isRight = text.utf8.allSatisfy { byte in
                byte.isDigit || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || marks.utf8.contains(byte)
            }
            return isRight ? text : nil
        }
    }

    /// A DNS label.
    static let label = Kind.quoted(
        "a host name", hint: "1 to 63 letters, digits or -, such as \"press-line-4\"",
        range: "1 to 63 letters, digits or -"
    ) { text in
        guard let name = DomainName(text), name.labels.count == 1, !text.contains("_"),
            !text.hasSuffix(".")
        else { return nil }
        return text
    }

    /// A name that also serves as a part of MQTT topics and Sparkplug ids.
    static let plainName = name(
        "a name", example: "plc-1", bytesMax: 63, marks: "-_.", words: "letters, digits, - _ or .")

    static let tagName = name(
        "a tag's name", example: "oven.temperature", bytesMax: 128, marks: "-_./",
        words: "letters, digits, - _ . or /")

    static let commonName = name(
        "a certificate's name", example: "vpn.ixon.net", bytesMax: 64, marks: "-_.@ ",
        words: "letters, digits, spaces, - _ . or @")

    /// A kernel interface name (`IFNAMSIZ` is 16 with the final zero).
    static let interface = Kind.quoted(
        "an interface name", hint: "1 to 15 letters, digits, - _ or ., such as \"eth0\"",
        range: "1 to 15 letters, digits, - _ or ."
    ) { text throws(Refusal) in
        guard text.utf8.count <= 15 else {
            throw Refusal("is \(text.utf8.count) bytes long; an interface name has at most 15")
        }
        let isRight = text.utf8.allSatisfy { $0.isBareKey || $0 == .dot }
        return isRight && !text.isEmpty && text != "." && text != ".." ? text : nil
    }

    /// An absolute path, shorter than the kernel's 4095 bytes where a socket's name is to follow it.
    static func path(_ example: String, bytesMax: Int = 4095) -> Kind {
        let range = bytesMax < 4095 ? "an absolute path of at most \(bytesMax) bytes" : ""
        return .quoted("an absolute path", hint: "a path, such as \"\(example)\"", range: range) {
            text throws(Refusal) in
            guard text.hasPrefix("/") else { return nil }
            guard text.utf8.count <= bytesMax else {
                throw Refusal("is \(text.utf8.count) bytes long; at most \(bytesMax) are allowed")
            }
            guard !text.utf8.contains(0), !text.split(separator: "/").contains("..") else {
                throw Refusal("goes through \"..\" or holds a zero byte; write the path itself")
            }
            return text
        }
    }
}
