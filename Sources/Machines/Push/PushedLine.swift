package import Base

/// A line that a program pushes: InfluxDB's line protocol without tag sets, so that its libraries and tools can speak it.
///
///     SOURCE TAG=VALUE[,TAG=VALUE …] [TIME]
///
/// A value is `12.5`, `12i`, `true`, `false` or `"text"`; the time is in nanoseconds since 1970, UTC. In names, a
/// backslash stands before a comma, an equals sign or a space; in texts, before a quotation mark or a backslash.
package struct PushedLine: Equatable, Sendable {
    package var source: String
    package var values: [Pair]
    /// By the program's clock; nil: when it arrives.
    package var wall: WallTime?

    package struct Pair: Equatable, Sendable {
        package var tag: String
        package var value: TagValue

        package init(tag: String, value: TagValue) {
            self.tag = tag
            self.value = value
        }
    }

    package init(source: String, values: [Pair], wall: WallTime? = nil) {
        self.source = source
        self.values = values
        self.wall = wall
    }

    /// Why a line is refused, in words for whoever writes the program.
    package struct Refusal: Error, Equatable, CustomStringConvertible {
        package var description: String
        init(_ description: String) { self.description = description }
    }

    /// Reads a line without its end; nil for an empty one and for a comment (`#`).
    package static func parse(_ bytes: ArraySlice<UInt8>) throws(Refusal) -> PushedLine? {
        var bytes = bytes
        if bytes.last == Letter.carriageReturn { bytes = bytes.dropLast() }
        guard let first = bytes.first, first != Letter.hash else { return nil }
        guard bytes.count <= Limits.pushedLineBytesMax else {
            throw Refusal("longer than \(Limits.pushedLineBytesMax) bytes")
        }
        var reader = Reader(bytes)
        let source = try reader.name("source", endingAt: [Letter.space, Letter.comma])
        guard reader.take() == Letter.space else {
            throw Refusal(
                "a comma in the source: tag sets are not taken; write the comma as \\, if it is meant"
            )
        }
        var values: [Pair] = []
        repeat {
            guard values.count < Limits.pushedValuesMax else {
                throw Refusal("more than \(Limits.pushedValuesMax) values in a line")
            }
            let tag = try reader.name("tag", endingAt: [Letter.equals, Letter.comma, Letter.space])
            guard reader.take() == Letter.equals else {
                throw Refusal("\"\(tag.prefix(40))\" without a value: TAG=VALUE[,TAG=VALUE]")
            }
            values.append(Pair(tag: tag, value: try reader.value()))
        } while reader.takes(Letter.comma)
        var line = PushedLine(source: source, values: values)
        if reader.takes(Letter.space) { line.wall = try reader.time() }
        guard reader.isAtEnd else {
            throw Refusal("something after the values: one space, then the time")
        }
        return line
    }
}

private enum Letter {
    static let carriageReturn: UInt8 = 13
    static let space: UInt8 = 32
    static let quote: UInt8 = 34
    static let hash: UInt8 = 35
    static let comma: UInt8 = 44
    static let equals: UInt8 = 61
    static let backslash: UInt8 = 92
}

private struct Reader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take() -> UInt8? { rest.popFirst() }

    mutating func takes(_ letter: UInt8) -> Bool {
        guard rest.first == letter else { return false }
        rest.removeFirst()
        return true
    }

    /// Up to one of the ends, which stays.
    mutating func name(_ what: String, endingAt ends: [UInt8]) throws(PushedLine.Refusal) -> String
    {
        var name: [UInt8] = []
        while let next = rest.first, !ends.contains(next) {
            rest.removeFirst()
            let isEscape =
                next == Letter.backslash
                && [Letter.comma, Letter.equals, Letter.space].contains(rest.first ?? 0)
            name.append(isEscape ? rest.removeFirst() : next)
        }
        guard !rest.isEmpty else {
            throw PushedLine.Refusal("cut short: a line is SOURCE TAG=VALUE[,TAG=VALUE] [TIME]")
        }
        guard !name.isEmpty, name.count <= Limits.pushedNameBytesMax,
            let text = String(validating: name, as: UTF8.self),
            !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else {
            throw PushedLine.Refusal(
                "a \(what) is 1 to \(Limits.pushedNameBytesMax) bytes of UTF-8 without control characters"
            )
        }
        return text
    }

    mutating func value() throws(PushedLine.Refusal) -> TagValue {
        if takes(Letter.quote) { return .string(try text()) }
        let word = word(endingAt: [Letter.comma, Letter.space])
        switch word {
        case "t", "T", "true", "True", "TRUE": return .bool(true)
        case "f", "F", "false", "False", "FALSE": return .bool(false)
        default: break
        }
        if word.last == "i" || word.last == "u", let number = Int64(word.dropLast()) {
            return .integer(number)
        }
        // No "nan", no "inf", no hexadecimal ones: those are no numbers of this protocol.
        guard
            word.utf8.allSatisfy({ (48...57).contains($0) || [43, 45, 46, 69, 101].contains($0) }),
            let number = Double(word), number.isFinite
        else {
            throw PushedLine.Refusal(
                "\"\(word.prefix(40))\" is no value: 12.5, 12i, true, false or \"text\"")
        }
        return .double(number)
    }

    private mutating func text() throws(PushedLine.Refusal) -> String {
        var text: [UInt8] = []
        while let next = take() {
            if next == Letter.quote {
                guard text.count <= Reading.valueBytesMax else {
                    throw PushedLine.Refusal("a text of more than \(Reading.valueBytesMax) bytes")
                }
                guard let text = String(validating: text, as: UTF8.self) else {
                    throw PushedLine.Refusal("a text that is not UTF-8")
                }
                return text
            }
            let isEscape =
                next == Letter.backslash
                && [Letter.quote, Letter.backslash].contains(rest.first ?? 0)
            text.append(isEscape ? rest.removeFirst() : next)
        }
        throw PushedLine.Refusal("a text without its closing quotation mark")
    }

    mutating func time() throws(PushedLine.Refusal) -> WallTime {
        let word = word(endingAt: [])
        guard let nanoseconds = Int64(word) else {
            throw PushedLine.Refusal("\"\(word.prefix(40))\" is no time: nanoseconds since 1970")
        }
        return WallTime(milliseconds: nanoseconds / 1_000_000)
    }

    private mutating func word(endingAt ends: [UInt8]) -> String {
        let word = rest.prefix { !ends.contains($0) }
        rest = rest.dropFirst(word.count)
        return String(decoding: word, as: UTF8.self)
    }
}
