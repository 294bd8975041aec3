package import Base

/// What a tag's registers mean.
package enum RegisterKind: Equatable, Sendable {
    case bool, int16, uint16, int32, uint32, float32, int64, uint64, float64
    /// So many bytes, two in a register, the rest filled with zeros.
    case string(bytes: Int)

    /// Registers, or bits of a bit table.
    package var count: Int {
        switch self {
        case .bool, .int16, .uint16: 1
        case .int32, .uint32, .float32: 2
        case .int64, .uint64, .float64: 4
        case .string(let bytes): (bytes + 1) / 2
        }
    }

    /// What stands for a value that was never read.
    package func neutral(isScaled: Bool) -> TagValue {
        switch self {
        case .bool: .bool(false)
        case .int16, .uint16, .int32, .uint32, .int64, .uint64:
            isScaled ? .double(0) : .integer(0)
        case .float32, .float64: .double(0)
        case .string: .string("")
        }
    }
}

/// From registers to a value. Words of longer types come high word first (ABCD), or as `order` says.
package enum RegisterDecoder {
    /// The value of as many words as the kind has; nil if there are fewer. A bit is a word of 0 or 1.
    package static func decode(
        _ words: ArraySlice<UInt16>, as kind: RegisterKind, order: WordOrder = .abcd,
        scale: Double? = nil
    ) -> TagValue? {
        guard words.count >= kind.count else { return nil }
        let isText = if case .string = kind { true } else { false }
        // A bit is no word: it has no bytes to swap.
        let order = kind == .bool ? .abcd : order
        let words = order.normalised(words.prefix(kind.count), isText: isText)[...]
        guard let first = words.first else { return nil }
        switch kind {
        case .bool: return .bool(first != 0)
        case .int16: return number(Int64(Int16(bitPattern: first)), scale)
        case .uint16: return number(Int64(first), scale)
        case .int32: return number(Int64(Int32(bitPattern: long(words))), scale)
        case .uint32: return number(Int64(long(words)), scale)
        case .float32:
            let value = Double(Float(bitPattern: long(words)))
            return .double(scale.map { value * $0 } ?? value)
        case .int64: return number(Int64(bitPattern: long64(words)), scale)
        // Above 2⁶³ a whole number does not fit a record: it is told as the nearest double.
        case .uint64:
            let raw = long64(words)
            guard let whole = Int64(exactly: raw) else {
                return .double(Double(raw) * (scale ?? 1))
            }
            return number(whole, scale)
        case .float64:
            let value = Double(bitPattern: long64(words))
            return .double(scale.map { value * $0 } ?? value)
        case .string(let bytes):
            let content = words.prefix(kind.count).flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
            let text = content.prefix(bytes).prefix { $0 != 0 }
            return .string(String(decoding: text, as: UTF8.self))
        }
    }

    private static func long(_ words: ArraySlice<UInt16>) -> UInt32 {
        words.prefix(2).reduce(0) { $0 << 16 | UInt32($1) }
    }

    private static func long64(_ words: ArraySlice<UInt16>) -> UInt64 {
        words.prefix(4).reduce(0) { $0 << 16 | UInt64($1) }
    }

    private static func number(_ raw: Int64, _ scale: Double?) -> TagValue {
        scale.map { .double(Double(raw) * $0) } ?? .integer(raw)
    }
}
