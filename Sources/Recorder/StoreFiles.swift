/// The random identity of a store: files of another store are never read as ours.
package struct StoreID: Hashable, Sendable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Where the checksums of a segment's frames start from.
    package func seed(segment number: UInt64) -> UInt32 {
        var writer = ByteWriter()
        writer.fixed(high)
        writer.fixed(low)
        writer.fixed(number)
        return CRC32C.checksum(writer.bytes)
    }
}

/// The first 64 bytes of a segment file.
///
///     0 magic "DRAWRING"   28 number          52 milliseconds of the wall clock
///     8 u32 version        36 first sequence  60 CRC32C of bytes 0…59
///    12 store id           44 records lost in the store's life so far
package struct SegmentHeader: Equatable, Sendable {
    package var store: StoreID
    package var number: UInt64
    package var firstSequence: UInt64
    package var lost: UInt64
    package var wallMilliseconds: Int64

    package static let bytes = 64
    private static let magic = Array("DRAWRING".utf8)
    private static let version: UInt32 = 1

    package init(
        store: StoreID, number: UInt64, firstSequence: UInt64, lost: UInt64,
        wallMilliseconds: Int64
    ) {
        self.store = store
        self.number = number
        self.firstSequence = firstSequence
        self.lost = lost
        self.wallMilliseconds = wallMilliseconds
    }

    package init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.bytes, bytes.starts(with: Self.magic) else { return nil }
        var reader = ByteReader(bytes[8..<Self.bytes])
        guard reader.fixed(UInt32.self) == Self.version, let high: UInt64 = reader.fixed(),
            let low: UInt64 = reader.fixed(), let number: UInt64 = reader.fixed(),
            let first: UInt64 = reader.fixed(), let lost: UInt64 = reader.fixed(),
            let wall: Int64 = reader.fixed(), let checksum: UInt32 = reader.fixed(),
            checksum == CRC32C.checksum(bytes[..<60]), first > 0, first < UInt64.max / 2
        else { return nil }
        self.init(
            store: StoreID(high: high, low: low), number: number, firstSequence: first,
            lost: lost, wallMilliseconds: wall)
    }

    package var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.bytes += Self.magic
        writer.fixed(Self.version)
        writer.fixed(store.high)
        writer.fixed(store.low)
        writer.fixed(number)
        writer.fixed(firstSequence)
        writer.fixed(lost)
        writer.fixed(wallMilliseconds)
        writer.fixed(CRC32C.checksum(writer.bytes))
        return writer.bytes
    }
}

/// The cursor file: how far the consumer has acknowledged. 36 bytes.
package struct CursorFile: Equatable, Sendable {
    package var store: StoreID
    package var through: UInt64

    package static let name = "cursor"
    package static let bytes = 36
    private static let magic = Array("DRAWCURS".utf8)

    package init(store: StoreID, through: UInt64) {
        self.store = store
        self.through = through
    }

    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.bytes, bytes.starts(with: Self.magic) else { return nil }
        var reader = ByteReader(bytes[8...])
        guard let high: UInt64 = reader.fixed(), let low: UInt64 = reader.fixed(),
            let through: UInt64 = reader.fixed(), let checksum: UInt32 = reader.fixed(),
            checksum == CRC32C.checksum(bytes[..<32]), through < UInt64.max / 2
        else { return nil }
        self.init(store: StoreID(high: high, low: low), through: through)
    }

    package var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.bytes += Self.magic
        writer.fixed(store.high)
        writer.fixed(store.low)
        writer.fixed(through)
        writer.fixed(CRC32C.checksum(writer.bytes))
        return writer.bytes
    }
}

/// A segment's file name: its number, so that names sort as they were written.
package enum SegmentName {
    private static let suffix = ".ring"

    package static func text(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: 20 - digits.count) + digits + suffix
    }

    package static func number(_ name: String) -> UInt64? {
        guard name.utf8.count == 25, name.hasSuffix(suffix) else { return nil }
        return UInt64(name.dropLast(suffix.count))
    }
}
