package import Linux

/// The directory that holds a store, as the recorder needs it.
package protocol RingDirectory: Sendable {
    /// For messages.
    var path: String { get }

    /// Names and sizes of all files.
    func list() throws(SystemError) -> [(name: String, bytes: Int64)]
    /// Opens a file for reading and writing.
    func open(_ name: String) throws(SystemError) -> any RingFile
    /// Makes a new, empty file.
    func create(_ name: String) throws(SystemError) -> any RingFile
    func remove(_ name: String) throws(SystemError)
    /// Makes the creations and removals so far survive a power cut.
    func sync() throws(SystemError)
    /// The whole content of a small file.
    func read(_ name: String) throws(SystemError) -> [UInt8]
    /// Replaces a small file: after a power cut either the old or the new content is there.
    func replace(_ name: String, with content: [UInt8]) throws(SystemError)
}

/// An open file of a store.
package protocol RingFile: Sendable {
    /// At most `count` bytes from `offset`; fewer only at the end of the file.
    func read(at offset: Int64, count: Int) throws(SystemError) -> [UInt8]
    /// Writes all bytes at `offset`.
    func write(_ bytes: [UInt8], at offset: Int64) throws(SystemError)
    func truncate(to bytes: Int64) throws(SystemError)
    /// Makes what was written survive a power cut.
    func sync() throws(SystemError)
}
