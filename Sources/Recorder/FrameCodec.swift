package import Base

/// Readings that are written, checked and lost together: one frame of a segment.
///
///     0  u32  magic "DBFR"        16  u64  sequence of the first record
///     4  u32  bytes of the body   24  u64  boot id, high half
///     8  u32  CRC32C              32  u64  boot id, low half
///    12  u32  records             40  …    body
///
/// All numbers are little-endian. The checksum covers everything but the magic and itself, and starts
/// from a seed that only this store's segment has: a frame of another life is never taken for one of ours.
/// The body: base times, a table of the names used, then the records (see `FrameBuilder`, `FrameCodec.records`).
package enum FrameCodec {
    package static let headerBytes = 40
    static let magic: [UInt8] = Array("DBFR".utf8)

    package struct Header: Equatable, Sendable {
        package var bodyBytes: Int
        package var checksum: UInt32
        package var count: Int
        package var firstSequence: UInt64
        package var bootID: BootID

        package var frameBytes: Int { headerBytes + bodyBytes }
        package var lastSequence: UInt64 { firstSequence + UInt64(count) - 1 }
    }

    /// The header at the start of `bytes`, if it can be one: plausible, not yet verified.
    package static func header(_ bytes: ArraySlice<UInt8>) -> Header? {
        guard bytes.starts(with: magic) else { return nil }
        var reader = ByteReader(bytes.dropFirst(magic.count))
        guard let body: UInt32 = reader.fixed(), let checksum: UInt32 = reader.fixed(),
            let count: UInt32 = reader.fixed(), let sequence: UInt64 = reader.fixed(),
            let high: UInt64 = reader.fixed(), let low: UInt64 = reader.fixed(),
            Int(body) <= Limits.frameBytesMax - headerBytes,
            (1...UInt32(Limits.frameRecordsMax)).contains(count),
            sequence > 0, sequence < UInt64.max - UInt64(count)
        else { return nil }
        return Header(
            bodyBytes: Int(body), checksum: checksum, count: Int(count), firstSequence: sequence,
            bootID: BootID(high: high, low: low))
    }

    /// The checksum of a whole frame under a segment's seed.
    static func checksum(_ frame: ArraySlice<UInt8>, seed: UInt32) -> UInt32 {
        let start = frame.startIndex
        let length = CRC32C.checksum(frame[start + 4..<start + 8], after: seed)
        return CRC32C.checksum(frame[(start + 12)...], after: length)
    }

    /// The header of the whole, undamaged frame that `bytes` begin with; nil if they do not.
    package static func verify(_ bytes: ArraySlice<UInt8>, seed: UInt32) -> Header? {
        guard let header = header(bytes), bytes.count >= header.frameBytes,
            checksum(bytes.prefix(header.frameBytes), seed: seed) == header.checksum
        else { return nil }
        return header
    }

    /// The records of a whole frame; nil if it is damaged.
    package static func records(_ bytes: ArraySlice<UInt8>, seed: UInt32) -> [Record]? {
        guard let header = verify(bytes, seed: seed) else { return nil }
        var reader = ByteReader(bytes.dropFirst(headerBytes).prefix(header.bodyBytes))
        guard var monotonic: Int64 = reader.fixed(), var wall: Int64 = reader.fixed(),
            let names = names(&reader)
        else { return nil }
        var records: [Record] = []
        records.reserveCapacity(header.count)
        for offset in 0..<header.count {
            guard let source = reader.varint(), source < names.count, let tag = reader.varint(),
                tag < names.count, let kind: UInt8 = reader.fixed(),
                let quality = Quality(rawValue: kind >> 4), let value = value(kind & 15, &reader),
                let sinceBefore = reader.zigzag(), let wallSinceBefore = reader.zigzag()
            else { return nil }
            monotonic &+= sinceBefore
            wall &+= wallSinceBefore
            let time = Timestamp(
                monotonic: Instant(nanoseconds: monotonic), wall: WallTime(milliseconds: wall))
            records.append(
                Record(
                    sequence: header.firstSequence + UInt64(offset), bootID: header.bootID,
                    reading: Reading(
                        source: names[Int(source)], tag: names[Int(tag)], value: value,
                        quality: quality, time: time)))
        }
        return reader.rest == 0 ? records : nil
    }

    private static func names(_ reader: inout ByteReader) -> [String]? {
        guard let count = reader.varint(), count <= 2 * Limits.frameRecordsMax else { return nil }
        var names: [String] = []
        for _ in 0..<count {
            guard let name = reader.text(bytesMax: Limits.nameBytesMax) else { return nil }
            names.append(name)
        }
        return names
    }

    private static func value(_ kind: UInt8, _ reader: inout ByteReader) -> TagValue? {
        switch kind {
        case 0: .bool(false)
        case 1: .bool(true)
        case 2: reader.zigzag().map { .integer($0) }
        case 3: reader.fixed(UInt64.self).map { .double(Double(bitPattern: $0)) }
        case 4: reader.text(bytesMax: Reading.valueBytesMax).map { .string($0) }
        default: nil
        }
    }
}
