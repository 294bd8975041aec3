package import Base

/// What a page that begins something in a segment says of it.
///
///     segment header   the first page of a segment's life
///     block            records of one class: this header (256 bytes), names, data, zeros to the page's end
///     tombstone        what a damaged block became once its loss was told: a header, and nothing to read
package struct BlockHeader: Equatable, Sendable {
    package enum Form: UInt8, Sendable {
        case segment = 1
        case block = 2
        case tombstone = 3
    }

    package var form: Form
    package var recordClass: RecordClass
    package var store: StoreID
    /// Of the segment's present life.
    package var generation: UInt64
    package var bootID: BootID
    package var firstSequence: UInt64
    package var lastSequence: UInt64
    /// How many records of its class there were before its first one.
    package var ordinal: UInt64
    package var rows: Int
    /// The earliest and the latest, by the wall clock; for a segment, when it was begun.
    package var firstWall: WallTime
    package var lastWall: WallTime
    /// The same since boot; not told by `version` 2.
    package var firstMonotonic = Instant.boot
    package var lastMonotonic = Instant.boot
    /// Of the format: 2 is read, 3 is written.
    package private(set) var version: UInt8 = 3
    /// Bytes of the sections, compressed and not.
    package var nameBytes = 0
    package var nameBytesRaw = 0
    package var dataBytes = 0
    package var dataBytesRaw = 0
    package var nameChecksum: UInt32 = 0
    package var dataChecksum: UInt32 = 0
    /// Of a tombstone: the bytes that it stands for.
    package var tombstoneBytes = 0
    package var cursor: UInt64
    package var lost: UInt64
    /// The hash of the class's block before this one: a block that was exchanged or taken out shows.
    package var previous: [UInt8]

    package static let bytes = 256
    private static let magic = Array("DRWBBLK".utf8)

    package init(
        form: Form, recordClass: RecordClass, store: StoreID, generation: UInt64, bootID: BootID,
        firstSequence: UInt64, lastSequence: UInt64, ordinal: UInt64, rows: Int,
        firstWall: WallTime, lastWall: WallTime, cursor: UInt64, lost: UInt64, previous: [UInt8]
    ) {
        self.form = form
        self.recordClass = recordClass
        self.store = store
        self.generation = generation
        self.bootID = bootID
        self.firstSequence = firstSequence
        self.lastSequence = lastSequence
        self.ordinal = ordinal
        self.rows = rows
        self.firstWall = firstWall
        self.lastWall = lastWall
        self.cursor = cursor
        self.lost = lost
        self.previous = previous
    }

    /// Bytes from this header to the next one.
    package var extent: Int {
        switch form {
        case .segment: Limits.pageBytes
        case .block:
            (Self.bytes + nameBytes + dataBytes + Limits.pageBytes - 1) / Limits.pageBytes
                * Limits.pageBytes
        case .tombstone: tombstoneBytes
        }
    }

    package init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count >= Self.bytes, bytes.starts(with: Self.magic) else { return nil }
        var reader = ByteReader(bytes.dropFirst(Self.magic.count))
        guard let version: UInt8 = reader.fixed(), Self.versions.contains(version &- Self.zero)
        else { return nil }
        guard let form: UInt8 = reader.fixed(), let form = Form(rawValue: form),
            let value: UInt8 = reader.fixed(), let one = RecordClass(rawValue: value),
            let rows: UInt32 = reader.fixed(), let high: UInt64 = reader.fixed(),
            let low: UInt64 = reader.fixed(), let generation: UInt64 = reader.fixed(),
            let bootHigh: UInt64 = reader.fixed(), let bootLow: UInt64 = reader.fixed(),
            let first: UInt64 = reader.fixed(), let last: UInt64 = reader.fixed(),
            let ordinal: UInt64 = reader.fixed(), let firstWall: Int64 = reader.fixed(),
            let lastWall: Int64 = reader.fixed(), let names: UInt32 = reader.fixed(),
            let namesRaw: UInt32 = reader.fixed(), let data: UInt32 = reader.fixed(),
            let dataRaw: UInt32 = reader.fixed(), let nameChecksum: UInt32 = reader.fixed(),
            let dataChecksum: UInt32 = reader.fixed(), let tombstone: UInt32 = reader.fixed(),
            let cursor: UInt64 = reader.fixed(), let lost: UInt64 = reader.fixed(),
            let previous = reader.bytes(16)
        else { return nil }
        var firstMonotonic: Int64 = 0
        var lastMonotonic: Int64 = 0
        if version > Self.zero + 2 {
            guard let first: Int64 = reader.fixed(), let last: Int64 = reader.fixed() else {
                return nil
            }
            (firstMonotonic, lastMonotonic) = (first, last)
        }
        let store = StoreID(high: high, low: low)
        guard let checksum: UInt32 = reader.fixed(),
            checksum
                == Self.checksum(bytes, version - Self.zero, store.seed(generation: generation)),
            first > 0, first < UInt64.max / 2, last < UInt64.max / 2,
            namesRaw <= UInt32(Limits.sectionBytesMax), dataRaw <= UInt32(Limits.sectionBytesMax),
            names <= 1 << 26, data <= 1 << 26, tombstone <= 1 << 26,
            form != .tombstone || tombstone >= UInt32(Limits.pageBytes),
            Int(tombstone) % Limits.pageBytes == 0, cursor < UInt64.max / 2
        else { return nil }
        self.init(
            form: form, recordClass: one, store: store, generation: generation,
            bootID: BootID(high: bootHigh, low: bootLow), firstSequence: first,
            lastSequence: last, ordinal: ordinal, rows: Int(rows),
            firstWall: WallTime(milliseconds: firstWall),
            lastWall: WallTime(milliseconds: lastWall), cursor: cursor, lost: lost,
            previous: Array(previous))
        self.version = version - Self.zero
        self.firstMonotonic = Instant(nanoseconds: firstMonotonic)
        self.lastMonotonic = Instant(nanoseconds: lastMonotonic)
        nameBytes = Int(names)
        nameBytesRaw = Int(namesRaw)
        dataBytes = Int(data)
        dataBytesRaw = Int(dataRaw)
        self.nameChecksum = nameChecksum
        self.dataChecksum = dataChecksum
        tombstoneBytes = Int(tombstone)
    }

    private static let versions: ClosedRange<UInt8> = 2...3
    /// The digit before all others.
    private static let zero: UInt8 = 48

    private static func checksum(
        _ bytes: ArraySlice<UInt8>, _ version: UInt8, _ seed: UInt32
    ) -> UInt32 {
        let place = magic.count + 7 + 8 * 10 + 4 * 7 + 16 + 16 + (version > 2 ? 16 : 0)
        return CRC32C.checksum(bytes.prefix(place), after: seed)
    }

    package var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.bytes += Self.magic
        writer.fixed(Self.zero + version)
        writer.fixed(form.rawValue)
        writer.fixed(recordClass.rawValue)
        writer.fixed(UInt32(rows))
        writer.fixed(store.high)
        writer.fixed(store.low)
        writer.fixed(generation)
        writer.fixed(bootID.high)
        writer.fixed(bootID.low)
        writer.fixed(firstSequence)
        writer.fixed(lastSequence)
        writer.fixed(ordinal)
        writer.fixed(firstWall.milliseconds)
        writer.fixed(lastWall.milliseconds)
        writer.fixed(UInt32(nameBytes))
        writer.fixed(UInt32(nameBytesRaw))
        writer.fixed(UInt32(dataBytes))
        writer.fixed(UInt32(dataBytesRaw))
        writer.fixed(nameChecksum)
        writer.fixed(dataChecksum)
        writer.fixed(UInt32(tombstoneBytes))
        writer.fixed(cursor)
        writer.fixed(lost)
        writer.bytes += previous
        if version > 2 {
            writer.fixed(firstMonotonic.nanoseconds)
            writer.fixed(lastMonotonic.nanoseconds)
        }
        writer.fixed(
            Self.checksum(writer.bytes[...], version, store.seed(generation: generation)))
        writer.bytes += [UInt8](repeating: 0, count: Self.bytes - writer.bytes.count)
        return writer.bytes
    }

    /// What the next block of the class repeats as `previous`.
    package var hash: [UInt8] { Array(SHA256.hash(encoded).prefix(16)) }

    /// The checksum of a section in this segment.
    package static func sectionChecksum(
        _ section: some Sequence<UInt8>, store: StoreID, generation: UInt64
    ) -> UInt32 {
        CRC32C.checksum(section, after: store.seed(generation: generation))
    }
}
