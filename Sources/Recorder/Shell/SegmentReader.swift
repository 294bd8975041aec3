package import Base
package import Linux

/// Goes through the frames of one segment, and past what is damaged in it.
package struct SegmentReader: Sendable {
    package struct Frame: Sendable {
        package var header: FrameCodec.Header
        package var bytes: ArraySlice<UInt8>
        /// Where the frame ends in the file.
        package var end: Int64
    }

    package let number: UInt64
    private let file: any RingFile
    private let seed: UInt32
    /// Where the next frame should begin.
    package private(set) var offset: Int64
    /// Sequences only go up: a frame that goes back is none of this segment's.
    private var sequenceMin: UInt64 = 0
    private var buffer: [UInt8] = []
    private var bufferStart: Int64
    /// How often frames did not begin where they should, since the last call of `takeDamages`.
    private var damages = 0

    package init(file: any RingFile, number: UInt64, store: StoreID) {
        self.file = file
        self.number = number
        seed = store.seed(segment: number)
        offset = Int64(SegmentHeader.bytes)
        bufferStart = offset
    }

    /// The next whole frame that ends at or before `end`; nil if there is none (yet).
    ///
    /// Having returned nil it may be asked again when the file has grown.
    package mutating func next(before end: Int64) throws(SystemError) -> Frame? {
        if let frame = try frame(at: offset, before: end) {
            accept(frame)
            return frame
        }
        guard offset < end else { return nil }
        var place = offset + 1
        while let candidate = try nextMagic(from: place, before: end) {
            if let frame = try frame(at: candidate, before: end) {
                damages += 1
                accept(frame)
                return frame
            }
            place = candidate + 1
        }
        damages += 1
        offset = end
        return nil
    }

    package func records(of frame: Frame) -> [Record] {
        FrameCodec.records(frame.bytes, seed: seed) ?? []
    }

    package mutating func takeDamages() -> Int {
        defer { damages = 0 }
        return damages
    }

    private mutating func accept(_ frame: Frame) {
        offset = frame.end
        sequenceMin = frame.header.lastSequence + 1
    }

    private mutating func frame(at place: Int64, before end: Int64) throws(SystemError) -> Frame? {
        let headerEnd = place + Int64(FrameCodec.headerBytes)
        guard headerEnd <= end else { return nil }
        try fill(from: place, before: end)
        let start = Int(place - bufferStart)
        // The file may be shorter than it was said to be.
        guard start + FrameCodec.headerBytes <= buffer.count,
            let header = FrameCodec.header(buffer[start...]),
            place + Int64(header.frameBytes) <= end, header.firstSequence >= sequenceMin,
            FrameCodec.verify(buffer[start...], seed: seed) != nil
        else { return nil }
        return Frame(
            header: header, bytes: buffer[start..<start + header.frameBytes],
            end: place + Int64(header.frameBytes))
    }

    private mutating func nextMagic(from place: Int64, before end: Int64) throws(SystemError)
        -> Int64?
    {
        var place = place
        while place + Int64(FrameCodec.headerBytes) <= end {
            try fill(from: place, before: end)
            var index = Int(place - bufferStart)
            let last = buffer.count - FrameCodec.headerBytes
            guard index <= last else { return nil }
            while index <= last {
                if buffer[index] == FrameCodec.magic[0],
                    buffer[index...].starts(with: FrameCodec.magic)
                {
                    return bufferStart + Int64(index)
                }
                index += 1
            }
            place = bufferStart + Int64(index)
        }
        return nil
    }

    /// Makes the buffer hold a frame of the greatest size from `place`, as far as there are bytes.
    private mutating func fill(from place: Int64, before end: Int64) throws(SystemError) {
        let needed = min(end, place + Int64(Limits.frameBytesMax))
        if place >= bufferStart, needed <= bufferStart + Int64(buffer.count) { return }
        let count = Int(min(end - place, Int64(Limits.readBytes)))
        buffer = try file.read(at: place, count: count)
        bufferStart = place
    }
}
