package import Base

/// Gathers readings into one frame; the segment and sequence are put in last, once they are known.
package struct FrameBuilder {
    private let bootID: BootID
    private let base: Timestamp
    private var last: Timestamp
    private var indexes: [String: UInt64] = [:]
    private var names = ByteWriter()
    private var records = ByteWriter()
    package private(set) var count = 0

    /// A frame whose times are told relative to `base`, best that of its first reading.
    package init(bootID: BootID, base: Timestamp) {
        self.bootID = bootID
        self.base = base
        last = base
    }

    /// Whether a reading can be recorded at all: its texts are within their bounds.
    package static func accepts(_ reading: Reading) -> Bool {
        guard reading.source.utf8.count <= Limits.nameBytesMax,
            reading.tag.utf8.count <= Limits.nameBytesMax
        else { return false }
        guard case .string(let text) = reading.value else { return true }
        return text.utf8.count <= Reading.valueBytesMax
    }

    /// Adds an acceptable reading; false, and nothing added, if the frame is full.
    package mutating func add(_ reading: Reading) -> Bool {
        guard count < Limits.frameRecordsMax,
            frameBytes + Self.bytesMax(of: reading) <= Limits.frameBytesMax
        else { return false }
        records.varint(index(of: reading.source))
        records.varint(index(of: reading.tag))
        let quality = reading.quality.rawValue << 4
        switch reading.value {
        case .bool(let value):
            records.fixed(quality | (value ? 1 : 0))
        case .integer(let value):
            records.fixed(quality | 2)
            records.zigzag(value)
        case .double(let value):
            records.fixed(quality | 3)
            records.fixed(value.bitPattern)
        case .string(let value):
            records.fixed(quality | 4)
            records.text(value)
        }
        records.zigzag(reading.time.monotonic.nanoseconds &- last.monotonic.nanoseconds)
        records.zigzag(reading.time.wall.milliseconds &- last.wall.milliseconds)
        last = reading.time
        count += 1
        return true
    }

    /// Bytes of the frame as it stands; the count of names takes at most three.
    package var frameBytes: Int {
        FrameCodec.headerBytes + 16 + 3 + names.bytes.count + records.bytes.count
    }

    /// Bytes that a reading adds at most.
    private static func bytesMax(of reading: Reading) -> Int {
        let text: Int =
            if case .string(let value) = reading.value { value.utf8.count } else { 0 }
        return reading.source.utf8.count + reading.tag.utf8.count + text + 48
    }

    private mutating func index(of name: String) -> UInt64 {
        if let index = indexes[name] { return index }
        let index = UInt64(indexes.count)
        indexes[name] = index
        names.text(name)
        return index
    }

    /// The frame's bytes, its first record having the sequence `first`, in the segment of this seed.
    package func sealed(first: UInt64, seed: UInt32) -> [UInt8] {
        var body = ByteWriter()
        body.fixed(base.monotonic.nanoseconds)
        body.fixed(base.wall.milliseconds)
        body.varint(UInt64(indexes.count))
        var frame = ByteWriter()
        frame.bytes.reserveCapacity(frameBytes)
        frame.bytes += FrameCodec.magic
        frame.fixed(UInt32(body.bytes.count + names.bytes.count + records.bytes.count))
        frame.fixed(UInt32(0))
        frame.fixed(UInt32(count))
        frame.fixed(first)
        frame.fixed(bootID.high)
        frame.fixed(bootID.low)
        frame.bytes += body.bytes
        frame.bytes += names.bytes
        frame.bytes += records.bytes
        let checksum = FrameCodec.checksum(frame.bytes[...], seed: seed)
        withUnsafeBytes(of: checksum.littleEndian) { frame.bytes.replaceSubrange(8..<12, with: $0) }
        return frame.bytes
    }
}
