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
