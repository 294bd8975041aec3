/// The random identity of a store: what another store wrote is never read as ours.
package struct StoreID: Hashable, Sendable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Where checksums start from in one life of a file: what lay there before is never taken for ours.
    package func seed(generation: UInt64) -> UInt32 {
        var writer = ByteWriter()
        writer.fixed(high)
        writer.fixed(low)
        writer.fixed(generation)
        return CRC32C.checksum(writer.bytes)
    }
}

/// The names of a store's files.
package enum FileName {
    package static let journals = ["journal-0", "journal-1"]
    package static let slotsMax = 1 << 20
    private static let suffix = ".segment"

    package static func segment(_ slot: Int) -> String {
        let digits = String(slot)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits + suffix
    }

    package static func slot(_ name: String) -> Int? {
        guard name.hasSuffix(suffix), let slot = Int(name.dropLast(suffix.count)), slot >= 0,
            slot < slotsMax, segment(slot) == name
        else { return nil }
        return slot
    }

    /// The files of the format before this one, which no released version wrote.
    package static func isForeignStore(_ name: String) -> Bool { name.hasSuffix(".ring") }
}
