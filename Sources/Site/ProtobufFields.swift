/// The fields of one protobuf message, in order, without a schema (protobuf.dev, "Encoding").
///
/// A second, independent reader: what the daemon's own encoder writes is proved by it.
struct ProtobufFields: Sequence, IteratorProtocol {
    enum Value: Equatable {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        case bytes(ArraySlice<UInt8>)

        var number: UInt64? {
            if case .varint(let number) = self { number } else { nil }
        }
        var slice: ArraySlice<UInt8>? {
            if case .bytes(let slice) = self { slice } else { nil }
        }
        var text: String? { slice.map { String(decoding: $0, as: UTF8.self) } }
    }

    private var rest: ArraySlice<UInt8>
    /// Whether the message ended early or was not protobuf; known when the iteration has ended.
    private(set) var isMalformed = false

    init(_ message: ArraySlice<UInt8>) {
        rest = message
    }

    mutating func next() -> (field: UInt64, value: Value)? {
        guard !rest.isEmpty else { return nil }
        guard let key = varint(), let value = value(ofType: key & 7), key >> 3 > 0 else {
            isMalformed = true
            rest = []
            return nil
        }
        return (key >> 3, value)
    }

    private mutating func value(ofType type: UInt64) -> Value? {
        switch type {
        case 0: varint().map { .varint($0) }
        case 1: fixed(bytes: 8).map { .fixed64($0) }
        case 2: varint().flatMap { Int(exactly: $0) }.flatMap { take($0) }.map { .bytes($0) }
        case 5: fixed(bytes: 4).map { .fixed32(UInt32(truncatingIfNeeded: $0)) }
        default: nil
        }
    }

    private mutating func varint() -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return number }
        }
        return nil
    }

    private mutating func fixed(bytes: Int) -> UInt64? {
        take(bytes)?.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}
