/// Writes numbers little-endian, and small ones short (LEB128, zigzag for signed ones).
struct ByteWriter {
    var bytes: [UInt8] = []

    mutating func fixed(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func zigzag(_ value: Int64) {
        varint(UInt64(bitPattern: value << 1 ^ value >> 63))
    }

    mutating func text(_ value: String) {
        varint(UInt64(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }
}

/// Reads what `ByteWriter` wrote; nil at the first thing that is not there.
struct ByteReader {
    private let bytes: ArraySlice<UInt8>
    private var index: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
    }

    var rest: Int { bytes.endIndex - index }

    /// The next bytes as they are.
    mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= rest else { return nil }
        defer { index += count }
        return bytes[index..<index + count]
    }

    mutating func fixed<I: FixedWidthInteger>(_ type: I.Type = I.self) -> I? {
        let width = MemoryLayout<I>.size
        guard rest >= width else { return nil }
        var value: I = 0
        withUnsafeMutableBytes(of: &value) { $0.copyBytes(from: bytes[index..<index + width]) }
        index += width
        return I(littleEndian: value)
    }

    mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard rest > 0 else { return nil }
            let byte = bytes[index]
            index += 1
            guard shift < 63 || byte <= 1 else { return nil }
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }

    mutating func zigzag() -> Int64? {
        varint().map { Int64(bitPattern: $0 >> 1) ^ -Int64(bitPattern: $0 & 1) }
    }

    /// A text of at most `bytesMax` bytes, which must be UTF-8.
    mutating func text(bytesMax: Int) -> String? {
        guard let length = varint(), length <= UInt64(min(rest, bytesMax)) else { return nil }
        let end = index + Int(length)
        defer { index = end }
        return String(validating: bytes[index..<end], as: UTF8.self)
    }
}
