import Base

/// What a journal's first frame, and each one after a change, tells beside its records.
package struct StoreNotes: Equatable, Sendable {
    package var clocks = ClockTable()
    /// Of all consumers but the cloud.
    package var cursors: [NamedCursor] = []

    package init() {}

    package var isEmpty: Bool { clocks.entries.isEmpty && cursors.isEmpty }

    /// Nothing if there is nothing to tell.
    var encoded: [UInt8] {
        guard !isEmpty else { return [] }
        var writer = ByteWriter()
        writer.varint(UInt64(clocks.entries.count))
        for entry in clocks.entries {
            writer.fixed(entry.bootID.high)
            writer.fixed(entry.bootID.low)
            writer.zigzag(entry.offset)
        }
        writer.varint(UInt64(cursors.count))
        for cursor in cursors {
            writer.text(cursor.name)
            writer.varint(cursor.sequence)
            writer.varint(cursor.lost)
        }
        return writer.bytes
    }

    /// Nil if these bytes cannot be notes.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard !bytes.isEmpty else { return }
        var reader = ByteReader(bytes)
        guard let count = reader.varint(), count <= UInt64(Limits.bootsMax) else { return nil }
        for _ in 0..<count {
            guard let high: UInt64 = reader.fixed(), let low: UInt64 = reader.fixed(),
                let offset = reader.zigzag()
            else { return nil }
            clocks.add(BootID(high: high, low: low), offset: offset)
        }
        guard let count = reader.varint(), count <= UInt64(Limits.cursorsMax) else { return nil }
        for _ in 0..<count {
            guard let name = reader.text(bytesMax: Limits.cursorNameBytesMax),
                NamedCursor.isName(name), !cursors.contains(where: { $0.name == name }),
                let sequence = reader.varint(), sequence < UInt64.max / 2,
                let lost = reader.varint(), lost < UInt64.max / 2
            else { return nil }
            cursors.append(NamedCursor(name: name, sequence: sequence, lost: lost))
        }
    }
}
