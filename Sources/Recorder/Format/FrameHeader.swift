package import Base

/// A journal frame: the records of one commit, padded to whole pages.
///
///     header (320 bytes), payload (names and data, compressed), zeros, the header again
///
/// The header has a checksum of its own and stands at both ends: a frame that was cut or damaged can then still
/// tell how many records it had.
package struct FrameHeader: Equatable, Sendable {
    package var store: StoreID
    /// Of the journal's present life.
    package var generation: UInt64
    package var bootID: BootID
    package var firstSequence: UInt64
    package var rows: Int
    /// The number of the first name that the payload tells.
    package var firstName: Int
    package var nameBytes: Int
    package var dataBytes: Int
    /// What `StoreNotes` takes at the end of the payload; none in `version` 2.
    package var noteBytes = 0
    /// Of the format: 2 is read, 3 is written.
    package private(set) var version: UInt8 = 3
    package var payloadBytes: Int
    package var payloadChecksum: UInt32
    package var cursor: UInt64
    package var lost: UInt64
    /// Everything up to here was sealed, or told as lost, when this life of the journal began.
    package var settled: UInt64
    /// Where the sealed blocks of each class end, when this life of the journal began.
    package var tails: [Pool.Tail]

    package static let bytes = 320
    private static let magic = Array("DRWBJRN".utf8)
    private static let versions: ClosedRange<UInt8> = 2...3
    /// The digit before all others.
    private static let zero: UInt8 = 48

    package init(
        store: StoreID, generation: UInt64, bootID: BootID, firstSequence: UInt64, rows: Int,
        firstName: Int, nameBytes: Int, dataBytes: Int, payloadBytes: Int,
        payloadChecksum: UInt32, cursor: UInt64, lost: UInt64, settled: UInt64,
        tails: [Pool.Tail]
    ) {
        self.store = store
        self.generation = generation
        self.bootID = bootID
        self.firstSequence = firstSequence
        self.rows = rows
        self.firstName = firstName
        self.nameBytes = nameBytes
        self.dataBytes = dataBytes
        self.payloadBytes = payloadBytes
        self.payloadChecksum = payloadChecksum
        self.cursor = cursor
        self.lost = lost
        self.settled = settled
        self.tails = tails
    }

    /// The sequence after the frame's last record.
    package var nextSequence: UInt64 { firstSequence + UInt64(rows) }

    /// Bytes of the whole frame.
    package var frameBytes: Int { Self.frameBytes(payload: payloadBytes) }

    package static func frameBytes(payload: Int) -> Int {
        let whole = 2 * bytes + payload
        return (whole + Limits.pageBytes - 1) / Limits.pageBytes * Limits.pageBytes
    }

    package init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count >= Self.bytes, bytes.starts(with: Self.magic) else { return nil }
        var reader = ByteReader(bytes.dropFirst(Self.magic.count))
        guard let digit: UInt8 = reader.fixed(), Self.versions.contains(digit &- Self.zero),
            let high: UInt64 = reader.fixed(), let low: UInt64 = reader.fixed(),
            let generation: UInt64 = reader.fixed(), let bootHigh: UInt64 = reader.fixed(),
            let bootLow: UInt64 = reader.fixed(), let first: UInt64 = reader.fixed(),
            let rows: UInt32 = reader.fixed(), let firstName: UInt32 = reader.fixed(),
            let names: UInt32 = reader.fixed(), let data: UInt32 = reader.fixed(),
            let payload: UInt32 = reader.fixed(), let checksum: UInt32 = reader.fixed(),
            let cursor: UInt64 = reader.fixed(), let lost: UInt64 = reader.fixed(),
            let settled: UInt64 = reader.fixed()
        else { return nil }
        var tails: [Pool.Tail] = []
        for _ in RecordClass.allCases {
            guard let tailGeneration: UInt64 = reader.fixed(), let offset: UInt64 = reader.fixed(),
                let ordinal: UInt64 = reader.fixed(), let sequence: UInt64 = reader.fixed(),
                let hash = reader.bytes(16), offset < 1 << 40
            else { return nil }
            var tail = Pool.Tail()
            tail.generation = tailGeneration
            tail.offset = Int64(offset)
            tail.ordinal = ordinal
            tail.sequence = sequence
            tail.hash = Array(hash)
            tails.append(tail)
        }
        store = StoreID(high: high, low: low)
        version = digit - Self.zero
        if version > 2 {
            guard let notes: UInt32 = reader.fixed(), notes <= UInt32(Limits.sectionBytesMax)
            else { return nil }
            noteBytes = Int(notes)
        }
        guard let own: UInt32 = reader.fixed(), first > 0, first < UInt64.max / 2,
            own == Self.checksum(bytes, version, store.seed(generation: generation)),
            rows <= UInt32(Limits.blockRowsMax), firstName <= UInt32(Limits.namesMax),
            payload <= 1 << 26, names <= UInt32(Limits.sectionBytesMax),
            data <= UInt32(Limits.sectionBytesMax), cursor < UInt64.max / 2,
            settled < UInt64.max / 2
        else { return nil }
        self.generation = generation
        bootID = BootID(high: bootHigh, low: bootLow)
        firstSequence = first
        self.rows = Int(rows)
        self.firstName = Int(firstName)
        nameBytes = Int(names)
        dataBytes = Int(data)
        payloadBytes = Int(payload)
        payloadChecksum = checksum
        self.cursor = cursor
        self.lost = lost
        self.settled = settled
        self.tails = tails
    }

    private static func checksum(
        _ bytes: ArraySlice<UInt8>, _ version: UInt8, _ seed: UInt32
    ) -> UInt32 {
        let place = magic.count + 1 + 8 * 6 + 4 * 6 + 8 * 3 + 48 * 4 + (version > 2 ? 4 : 0)
        return CRC32C.checksum(bytes.prefix(place), after: seed)
    }

    package var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.bytes += Self.magic
        writer.fixed(Self.zero + version)
        writer.fixed(store.high)
        writer.fixed(store.low)
        writer.fixed(generation)
        writer.fixed(bootID.high)
        writer.fixed(bootID.low)
        writer.fixed(firstSequence)
        writer.fixed(UInt32(rows))
        writer.fixed(UInt32(firstName))
        writer.fixed(UInt32(nameBytes))
        writer.fixed(UInt32(dataBytes))
        writer.fixed(UInt32(payloadBytes))
        writer.fixed(payloadChecksum)
        writer.fixed(cursor)
        writer.fixed(lost)
        writer.fixed(settled)
        for tail in tails {
            writer.fixed(tail.generation)
            writer.fixed(UInt64(tail.offset))
            writer.fixed(tail.ordinal)
            writer.fixed(tail.sequence)
            writer.bytes += tail.hash
        }
        if version > 2 { writer.fixed(UInt32(noteBytes)) }
        writer.fixed(
            Self.checksum(writer.bytes[...], version, store.seed(generation: generation)))
        writer.bytes += [UInt8](repeating: 0, count: Self.bytes - writer.bytes.count)
        return writer.bytes
    }

    /// The whole frame.
    package func frame(_ payload: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(frameBytes)
        let header = encoded
        frame += header
        frame += payload
        frame += [UInt8](repeating: 0, count: frameBytes - frame.count - Self.bytes)
        frame += header
        return frame
    }

    /// The checksum of a payload in this frame's journal.
    package static func payloadChecksum(
        _ payload: some Sequence<UInt8>, store: StoreID, generation: UInt64
    ) -> UInt32 {
        CRC32C.checksum(payload, after: store.seed(generation: generation))
    }
}
