package import Linux

/// The directory that holds a store, as the recorder needs it.
package protocol RingDirectory: Sendable {
    /// For messages.
    var path: String { get }

    /// Names and sizes of all files.
    func list() throws(SystemError) -> [(name: String, bytes: Int64)]
    /// Bytes that files in the directory may still grow by.
    func room() throws(SystemError) -> Int64
    /// Opens a file for reading and, unless `isReadOnly`, for writing.
    func open(_ name: String, isReadOnly: Bool) throws(SystemError) -> any RingFile
    /// Makes a new, empty file.
    func create(_ name: String) throws(SystemError) -> any RingFile
    func remove(_ name: String) throws(SystemError)
    /// Makes the creations and removals so far survive a power cut.
    func sync() throws(SystemError)
}

extension RingDirectory {
    func open(_ name: String) throws(SystemError) -> any RingFile {
        try open(name, isReadOnly: false)
    }
}

/// An open file of a store.
package protocol RingFile: Sendable {
    /// At most `count` bytes from `offset`; fewer only at the end of the file.
    func read(at offset: Int64, count: Int) throws(SystemError) -> [UInt8]
    /// Writes all bytes at `offset`.
    func write(_ bytes: [UInt8], at offset: Int64) throws(SystemError)
    /// Gives the file its whole size, so that it never needs more of the disk. What was beyond its end reads as
    /// zeros.
    func allocate(_ bytes: Int64) throws(SystemError)
    func truncate(to bytes: Int64) throws(SystemError)
    /// Makes what was written survive a power cut.
    func sync() throws(SystemError)
}
