/// Why bytes are not the message they should be.
package enum WireError: Error, Equatable, Sendable {
    /// The input ends within a field.
    case truncated
    /// A number longer than 64 bits, a field number 0, or a wire type we do not accept.
    case malformed
    /// More of something than a payload may have.
    case tooMany
}

/// One field of a protobuf message: its number and its value by wire type.
struct WireField {
    enum Value {
        case varint(UInt64)
        case fixed64(UInt64)
        case bytes(ArraySlice<UInt8>)
        case fixed32(UInt32)
    }
    var number: UInt32
    var value: Value
}

/// Reads the fields of one protobuf message; never past the end of its slice.
///
/// Source: protobuf.dev, "Encoding". Groups (wire types 3 and 4) are refused.
struct WireReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    /// The next field, or nil at the end.
    mutating func next() throws(WireError) -> WireField? {
        if rest.isEmpty { return nil }
        let key = try varint()
        guard let number = UInt32(exactly: key >> 3), number > 0, number < 1 << 29 else {
            throw .malformed
        }
        switch key & 7 {
        case 0: return WireField(number: number, value: .varint(try varint()))
        case 1: return WireField(number: number, value: .fixed64(try fixed()))
        case 2:
            let count = try varint()
            guard count <= UInt64(rest.count) else { throw .truncated }
            let bytes = rest.prefix(Int(count))
            rest = rest.dropFirst(Int(count))
            return WireField(number: number, value: .bytes(bytes))
        case 5: return WireField(number: number, value: .fixed32(try fixed()))
        default: throw .malformed
        }
    }

    private mutating func varint() throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = rest.popFirst() else { throw .truncated }
            // The tenth byte may carry only the 64th bit.
            guard shift < 63 || byte < 2 else { throw .malformed }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        throw .malformed
    }

    private mutating func fixed<I: FixedWidthInteger & UnsignedInteger>() throws(WireError) -> I {
        let size = MemoryLayout<I>.size
        guard rest.count >= size else { throw .truncated }
        let value = rest.prefix(size).reversed().reduce(I(0)) { $0 << 8 | I($1) }
        rest = rest.dropFirst(size)
        return value
    }
}

/// Writes the fields of a protobuf message.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func varint(_ number: UInt32, _ value: UInt64) {
        key(number, 0)
        append(varint: value)
    }

    mutating func bool(_ number: UInt32, _ value: Bool) {
        varint(number, value ? 1 : 0)
    }

    mutating func fixed64(_ number: UInt32, _ value: UInt64) {
        key(number, 1)
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func fixed32(_ number: UInt32, _ value: UInt32) {
        key(number, 5)
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func bytes(_ number: UInt32, _ value: some Collection<UInt8>) {
        key(number, 2)
        append(varint: UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func string(_ number: UInt32, _ value: String) {
        bytes(number, value.utf8)
    }

    mutating func message(_ number: UInt32, _ body: (inout WireWriter) -> Void) {
        var nested = WireWriter()
        body(&nested)
        bytes(number, nested.bytes)
    }

    private mutating func key(_ number: UInt32, _ type: UInt64) {
        append(varint: UInt64(number) << 3 | type)
    }

    private mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
