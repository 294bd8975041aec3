/// The Castagnoli cyclic redundancy check (RFC 3720 §12.1), eight bytes a step.
package enum CRC32C {
    /// Table `k` advances a byte by `k` further zero bytes; flattened, 256 entries each.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var value = UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : value >> 1 ^ 0x82f6_3b78 }
            tables[byte] = value
        }
        for index in 256..<tables.count {
            let before = tables[index - 256]
            tables[index] = before >> 8 ^ tables[Int(before & 0xff)]
        }
        return tables
    }()

    /// The checksum of `bytes`, continued from the checksum of what came before them.
    package static func checksum(_ bytes: some Sequence<UInt8>, after before: UInt32 = 0) -> UInt32
    {
        let contiguous = bytes.withContiguousStorageIfAvailable { update(before, $0) }
        return contiguous ?? Array(bytes).withUnsafeBufferPointer { update(before, $0) }
    }

    private static func update(_ before: UInt32, _ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        tables.withUnsafeBufferPointer { table in
            var crc = ~before
            var index = 0
            let raw = UnsafeRawBufferPointer(bytes)
            while index + 8 <= raw.count {
                let word = UInt64(
                    littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                let low = crc ^ UInt32(truncatingIfNeeded: word)
                let high = UInt32(truncatingIfNeeded: word >> 32)
                crc =
                    table[1792 + Int(low & 0xff)] ^ table[1536 + Int(low >> 8 & 0xff)]
                    ^ table[1280 + Int(low >> 16 & 0xff)] ^ table[1024 + Int(low >> 24)]
                    ^ table[768 + Int(high & 0xff)] ^ table[512 + Int(high >> 8 & 0xff)]
                    ^ table[256 + Int(high >> 16 & 0xff)] ^ table[Int(high >> 24)]
                index += 8
            }
            while index < raw.count {
                crc = crc >> 8 ^ table[Int((crc ^ UInt32(raw[index])) & 0xff)]
                index += 1
            }
            return ~crc
        }
    }
}
