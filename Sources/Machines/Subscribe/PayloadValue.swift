import Base
import FoundationEssentials
import Settings

/// A message's payload as a value: the whole of it, or what stands at one place of a JSON document.
enum PayloadValue {
    /// Why a payload is refused, in words for whoever writes the publisher.
    struct Refusal: Error, Equatable, CustomStringConvertible {
        var description: String
        init(_ description: String) { self.description = description }
    }

    static func read(
        _ payload: [UInt8], as type: Settings.Subscription.Kind, at pointer: Settings.JSONPointer?
    ) throws(Refusal) -> TagValue {
        guard payload.count <= Limits.subscribedBytesMax else {
            throw Refusal("longer than \(Limits.subscribedBytesMax) bytes")
        }
        guard let pointer else { return try plain(payload, as: type) }
        let decoder = JSONDecoder()
        guard let key = PointedValue.key else { preconditionFailure("any text makes a key") }
        decoder.userInfo[key] = PointedValue.Place(type: type, steps: pointer.steps)
        do {
            return try decoder.decode(PointedValue.self, from: Data(payload)).value
        } catch let refusal as Refusal {
            throw refusal
        } catch DecodingError.typeMismatch {
            throw Refusal("\(pointer.text) is no \(type.rawValue)")
        } catch {
            throw Refusal("no JSON, or no \(type.rawValue) at \(pointer.text)")
        }
    }

    private static func plain(
        _ payload: [UInt8], as type: Settings.Subscription.Kind
    ) throws(Refusal) -> TagValue {
        guard let text = String(validating: payload, as: UTF8.self) else {
            throw Refusal("not UTF-8")
        }
        let word = text.drop(while: \.isWhitespace).prefix { !$0.isWhitespace }
        switch type {
        case .string: return .string(text)
        case .bool:
            switch word.lowercased() {
            case "true", "on", "1": return .bool(true)
            case "false", "off", "0": return .bool(false)
            default: throw Refusal("\"\(shown(text))\" is no bool")
            }
        case .number:
            let digits = word.utf8.allSatisfy {
                (48...57).contains($0) || [43, 45, 46, 69, 101].contains($0)
            }
            let rest = text.drop(while: \.isWhitespace).dropFirst(word.count)
            guard digits, rest.allSatisfy(\.isWhitespace), let number = Double(word),
                number.isFinite
            else { throw Refusal("\"\(shown(text))\" is no number") }
            return .double(number)
        }
    }

    /// For a status line: short, and without control characters.
    private static func shown(_ text: String) -> String {
        String(
            text.unicodeScalars.prefix(40)
                .map { $0.properties.generalCategory == .control ? "?" : Character($0) })
    }
}

/// What stands at one place of a JSON document.
private struct PointedValue: Decodable {
    struct Place: Sendable {
        var type: Settings.Subscription.Kind
        var steps: [String]
    }

    private struct Name: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    static let key = CodingUserInfoKey(rawValue: "place")

    let value: TagValue

    init(from decoder: any Decoder) throws {
        guard let key = Self.key, let place = decoder.userInfo[key] as? Place else {
            preconditionFailure("a place is always set")
        }
        value = try Self.walk(decoder, place.steps[...], place.type)
    }

    private static func walk(
        _ decoder: any Decoder, _ steps: ArraySlice<String>, _ type: Settings.Subscription.Kind
    ) throws -> TagValue {
        guard let step = steps.first else {
            let leaf = try decoder.singleValueContainer()
            switch type {
            case .number:
                let number = try leaf.decode(Double.self)
                guard number.isFinite else { throw PayloadValue.Refusal("a number too large") }
                return .double(number)
            case .bool: return .bool(try leaf.decode(Bool.self))
            case .string: return .string(try leaf.decode(String.self))
            }
        }
        if let object = try? decoder.container(keyedBy: Name.self) {
            let name = Name(stringValue: step)
            guard object.contains(name) else {
                throw PayloadValue.Refusal("no member \"\(step)\"")
            }
            return try walk(object.superDecoder(forKey: name), steps.dropFirst(), type)
        }
        guard var array = try? decoder.unkeyedContainer(), let index = Int(decimal: step),
            index < array.count ?? 0
        else { throw PayloadValue.Refusal("no element \"\(step)\"") }
        for _ in 0..<index { _ = try array.superDecoder() }
        return try walk(array.superDecoder(), steps.dropFirst(), type)
    }
}
