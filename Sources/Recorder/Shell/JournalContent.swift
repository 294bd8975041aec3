import Linux

/// What a journal's files still hold: the headers of all frames, and their content one by one, so that a full journal
/// takes no more memory than one frame.
struct JournalContent {
    struct Frame {
        var header: FrameHeader
        var file: Int
        var offset: Int64
        /// Only the header at its end was found.
        var isBeheaded = false
    }

    /// What a frame says.
    struct Content {
        var names: [BlockCoder.Tally]
        var data: [UInt8]
        var notes: [UInt8]
    }

    /// By generation and place.
    private(set) var frames: [Frame] = []
    private var files: [Int: any RingFile] = [:]

    /// Bytes that are looked at together.
    private static let window = 256 * 1024

    init(_ directory: any RingDirectory) throws(SystemError) {
        let there = Set(try directory.list().map(\.name))
        for (index, name) in FileName.journals.enumerated() where there.contains(name) {
            let file = try directory.open(name, isReadOnly: true)
            files[index] = file
            try find(in: file, index)
        }
        frames.sort {
            ($0.header.generation, $0.offset) < ($1.header.generation, $1.offset)
        }
    }

    func holds(_ file: Int) -> Bool { frames.contains { $0.file == file } }

    /// The notes that were told last, and can still be read.
    var notes: StoreNotes {
        get throws(SystemError) {
            for frame in frames.reversed() where frame.header.noteBytes > 0 {
                guard let content = try content(of: frame) else { continue }
                if let notes = StoreNotes(content.notes[...]) { return notes }
            }
            return StoreNotes()
        }
    }

    /// Nil if it is damaged.
    func content(of frame: Frame) throws(SystemError) -> Content? {
        let header = frame.header
        guard !frame.isBeheaded, let file = files[frame.file] else { return nil }
        let payload = try file.read(
            at: frame.offset + Int64(FrameHeader.bytes), count: header.payloadBytes)
        let dataEnd = header.nameBytes + header.dataBytes
        guard
            FrameHeader.payloadChecksum(
                payload, store: header.store, generation: header.generation)
                == header.payloadChecksum,
            let raw = Zstd.decompressed(payload[...], count: dataEnd + header.noteBytes),
            let names = BlockCoder.tallies(raw[..<header.nameBytes])
        else { return nil }
        return Content(
            names: names, data: Array(raw[header.nameBytes..<dataEnd]),
            notes: Array(raw[dataEnd...]))
    }

    private mutating func find(in file: any RingFile, _ index: Int) throws(SystemError) {
        let page = Int64(Limits.pageBytes)
        var (bytes, start, place): ([UInt8], Int64, Int64) = ([], 0, 0)
        while place < Self.bytesMax {
            if place + page > start + Int64(bytes.count) {
                bytes = try file.read(at: place, count: Self.window)
                start = place
                guard bytes.count >= Limits.pageBytes else { return }
            }
            let first = Int(place - start)
            let content = bytes[first..<first + Limits.pageBytes]
            if let header = FrameHeader(content) {
                frames.append(Frame(header: header, file: index, offset: place))
                place += max(page, Int64(header.frameBytes))
                continue
            }
            place += page
            // The header at the end of a frame whose first page is gone.
            guard let header = FrameHeader(content.suffix(FrameHeader.bytes)) else { continue }
            let offset = place - Int64(header.frameBytes)
            let isKnown = frames.contains { $0.file == index && $0.offset == offset }
            if offset >= 0, !isKnown {
                frames.append(
                    Frame(header: header, file: index, offset: offset, isBeheaded: true))
            }
        }
    }

    /// No journal is longer.
    private static let bytesMax: Int64 = 64 << 20
}
