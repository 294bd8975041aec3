internal import CZstd

/// Compression by libzstd, a section at a time. The corresponding C functions are `ZSTD_compress` and
/// `ZSTD_decompress`.
enum Zstd {
    /// Of journal frames: written each second.
    static let quick: Int32 = 1
    /// Of sealed blocks.
    static let thorough: Int32 = 3

    static func compressed(_ bytes: [UInt8], level: Int32) -> [UInt8] {
        let capacity = ZSTD_compressBound(bytes.count)
        return [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            let length = bytes.withUnsafeBytes {
                ZSTD_compress(buffer.baseAddress, capacity, $0.baseAddress, $0.count, level)
            }
            precondition(ZSTD_isError(length) == 0, "the output has the size that zstd asks for")
            count = length
        }
    }

    /// The `count` bytes that were compressed; nil if these are not they.
    static func decompressed(_ bytes: ArraySlice<UInt8>, count: Int) -> [UInt8]? {
        guard count <= Limits.sectionBytesMax else { return nil }
        var isWhole = false
        let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
            let length = bytes.withUnsafeBytes {
                ZSTD_decompress(buffer.baseAddress, count, $0.baseAddress, $0.count)
            }
            isWhole = ZSTD_isError(length) == 0 && length == count
            written = isWhole ? count : 0
        }
        return isWhole ? result : nil
    }
}
