import Base
import Linux

/// Two files that take turns: what is not sealed yet lies in the one in use, page by page.
struct Journal {
    private let files: [any RingFile]
    private(set) var sizes: [Int64]
    let store: StoreID
    private(set) var active: Int
    private(set) var generation: UInt64
    /// Where the next frame goes.
    private(set) var offset: Int64
    /// Bytes of the frame at `offset` that still grows; 0 if there is none.
    private var growing: Int64 = 0
    /// What was written since the last sync: written again if a sync fails, for the kernel may have dropped it.
    private var unsynced: [Int64: [UInt8]] = [:]
    private(set) var syncHasFailed = false
    private let path: String

    init(
        _ directory: any RingDirectory, sizes: [Int64], store: StoreID, active: Int,
        generation: UInt64, offset: Int64
    ) throws(SystemError) {
        path = directory.path
        self.sizes = sizes
        self.store = store
        self.active = active
        self.generation = generation
        self.offset = offset
        var files: [any RingFile] = []
        for name in FileName.journals { files.append(try directory.open(name)) }
        self.files = files
    }

    var isSynced: Bool { unsynced.isEmpty }

    /// Makes a file of a journal: its pages are written once, so that later writes change nothing but them.
    static func make(_ name: String, in directory: any RingDirectory, bytes: Int64)
        throws(SystemError)
    {
        let file = try directory.create(name)
        try fill(file, bytes)
    }

    static func fill(_ file: any RingFile, _ bytes: Int64) throws(SystemError) {
        try file.allocate(bytes)
        let step: Int64 = 1 << 20
        var offset: Int64 = 0
        while offset < bytes {
            let count = min(step, bytes - offset)
            try file.write([UInt8](repeating: 0, count: Int(count)), at: offset)
            offset += count
        }
        try file.sync()
    }

    /// Gives the file that is not in use another size.
    mutating func resizeIdle(to bytes: Int64) throws(SystemError) {
        let idle = 1 - active
        guard sizes[idle] != bytes else { return }
        try files[idle].truncate(to: 0)
        try Self.fill(files[idle], bytes)
        sizes[idle] = bytes
    }

    /// Whether there is room for a frame.
    func hasRoom(_ frameBytes: Int, reserve: Int64) -> Bool {
        offset + Int64(frameBytes) <= sizes[active] - reserve
    }

    /// Writes a frame, over the one that still grows.
    mutating func write(_ frame: [UInt8]) throws(SystemError) {
        // What could not be written is tried again with the next sync.
        unsynced[offset] = frame
        growing = Int64(frame.count)
        do throws(SystemError) {
            try files[active].write(frame, at: offset)
        } catch {
            syncHasFailed = true
            throw error
        }
    }

    /// The frame that grew is complete: what is on flash is never written again.
    mutating func closeFrame() {
        offset += growing
        growing = 0
    }

    mutating func sync() throws(SystemError) {
        closeFrame()
        guard !unsynced.isEmpty else { return }
        do throws(SystemError) {
            if syncHasFailed {
                for (offset, frame) in unsynced { try files[active].write(frame, at: offset) }
            }
            try files[active].sync()
        } catch {
            syncHasFailed = true
            throw error
        }
        unsynced.removeAll(keepingCapacity: true)
        syncHasFailed = false
    }

    /// All that was written is sealed: begins the other file.
    mutating func turn() {
        active = 1 - active
        generation += 1
        offset = 0
        growing = 0
        unsynced.removeAll(keepingCapacity: true)
        syncHasFailed = false
    }
}

/// What a journal's files still hold.
struct JournalContent {
    struct Frame {
        var header: FrameHeader
        var file: Int
        var offset: Int64
        var names: [BlockCoder.Tally]
        /// The data section; nil if it is damaged.
        var data: [UInt8]?
        /// Nil if it tells none.
        var notes: StoreNotes?
    }

    /// By generation and place.
    private(set) var frames: [Frame] = []

    init(_ directory: any RingDirectory) throws(SystemError) {
        let there = Set(try directory.list().map(\.name))
        for (index, name) in FileName.journals.enumerated() where there.contains(name) {
            let file = try directory.open(name, isReadOnly: true)
            try read(file, index)
        }
        frames.sort {
            ($0.header.generation, $0.offset) < ($1.header.generation, $1.offset)
        }
    }

    private mutating func read(_ file: any RingFile, _ index: Int) throws(SystemError) {
        var bytes: [UInt8] = []
        while true {
            let more = try file.read(at: Int64(bytes.count), count: 1 << 20)
            bytes += more
            if more.count < 1 << 20 || bytes.count >= 64 << 20 { break }
        }
        let page = Limits.pageBytes
        var place = 0
        while place + page <= bytes.count {
            if let frame = Self.frame(bytes, at: place, index) {
                frames.append(frame)
                place += max(page, frame.header.frameBytes)
                continue
            }
            // The header at the end of a frame whose first page is gone.
            let end = place + page
            if let header = FrameHeader(bytes[(end - FrameHeader.bytes)..<end]),
                header.frameBytes <= end,
                !frames.contains(where: {
                    $0.file == index && $0.offset == Int64(end - header.frameBytes)
                })
            {
                frames.append(
                    Frame(
                        header: header, file: index, offset: Int64(end - header.frameBytes),
                        names: [], data: nil))
            }
            place += page
        }
    }

    private static func frame(_ bytes: [UInt8], at place: Int, _ index: Int) -> Frame? {
        guard let header = FrameHeader(bytes[place...]) else { return nil }
        var frame = Frame(header: header, file: index, offset: Int64(place), names: [])
        let start = place + FrameHeader.bytes
        guard header.frameBytes <= bytes.count - place else { return frame }
        let payload = bytes[start..<start + header.payloadBytes]
        guard
            FrameHeader.payloadChecksum(
                payload, store: header.store, generation: header.generation)
                == header.payloadChecksum,
            let raw = Zstd.decompressed(
                payload, count: header.nameBytes + header.dataBytes + header.noteBytes),
            let names = BlockCoder.tallies(raw[..<header.nameBytes])
        else { return frame }
        frame.names = names
        let end = header.nameBytes + header.dataBytes
        frame.data = Array(raw[header.nameBytes..<end])
        if header.noteBytes > 0 { frame.notes = StoreNotes(raw[end...]) }
        return frame
    }
}
