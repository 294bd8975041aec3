import Glibc
package import Linux

/// A store's directory on a real file system, locked against a second daemon while this value lives.
package final class DirectoryFiles: RingDirectory {
    package let path: String
    /// Nil for one that only looks.
    private let lock: Lock?

    private final class Lock: Sendable {
        let file: FileDescriptor
        init(_ file: consuming FileDescriptor) { self.file = file }
    }

    package static let lockName = "lock"

    /// Opens the directory, making it if it is not there, and takes its lock.
    package init(path: String) throws(SystemError) {
        self.path = path
        try Self.makeDirectory(path)
        let name = path + "/" + Self.lockName
        let file = try FileDescriptor(open: name, flags: O_RDWR | O_CREAT, mode: 0o640)
        let raw = file.raw
        _ = try check("lock \(name), another daemon records into this directory") {
            flock(raw, LOCK_EX | LOCK_NB)
        }
        lock = Lock(file)
    }

    /// A store to be looked at, also while a daemon records into it.
    package init(readOnly path: String) throws(SystemError) {
        self.path = path
        lock = nil
        _ = try list()
    }

    private static func makeDirectory(_ path: String) throws(SystemError) {
        for (index, character) in zip(path.indices, path).dropFirst() where character == "/" {
            _ = mkdir(String(path[..<index]), 0o750)
        }
        guard mkdir(path, 0o750) == 0 || errno == EEXIST else {
            throw SystemError("make the directory \(path)", code: errno)
        }
    }

    package func list() throws(SystemError) -> [(name: String, bytes: Int64)] {
        guard let directory = opendir(path) else {
            throw SystemError("list \(path)", code: errno)
        }
        defer { closedir(directory) }
        var files: [(name: String, bytes: Int64)] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            var about = stat()
            guard name != ".", name != "..",
                fstatat(dirfd(directory), name, &about, AT_SYMLINK_NOFOLLOW) == 0
            else { continue }
            files.append((name, Int64(about.st_size)))
        }
        return files
    }

    package func room() throws(SystemError) -> Int64 {
        var about = statvfs()
        _ = try check("measure the file system of \(path)") { statvfs(path, &about) }
        return Int64(clamping: UInt64(about.f_bavail) * UInt64(about.f_frsize))
    }

    package func open(_ name: String, isReadOnly: Bool) throws(SystemError) -> any RingFile {
        try DirectoryFile(path + "/" + name, flags: isReadOnly ? O_RDONLY : O_RDWR)
    }

    package func create(_ name: String) throws(SystemError) -> any RingFile {
        try DirectoryFile(path + "/" + name, flags: O_RDWR | O_CREAT | O_EXCL)
    }

    package func remove(_ name: String) throws(SystemError) {
        let file = path + "/" + name
        _ = try check("remove \(file)") { unlink(file) }
    }

    package func sync() throws(SystemError) {
        let directory = try FileDescriptor(open: path, flags: O_RDONLY | O_DIRECTORY)
        let raw = directory.raw
        _ = try check("sync \(path)") { fsync(raw) }
    }
}

private final class DirectoryFile: RingFile {
    private let path: String
    private let file: FileDescriptor

    init(_ path: String, flags: Int32) throws(SystemError) {
        self.path = path
        file = try FileDescriptor(open: path, flags: flags, mode: 0o640)
    }

    func read(at offset: Int64, count: Int) throws(SystemError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let length = try check("read \(path)") {
                buffer.withUnsafeMutableBytes {
                    pread(
                        file.raw, $0.baseAddress.map { $0 + done }, count - done,
                        off_t(offset) + done)
                }
            }
            if length == 0 { break }
            done += length
        }
        buffer.removeLast(count - done)
        return buffer
    }

    func write(_ bytes: [UInt8], at offset: Int64) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            done += try check("write \(path)") {
                bytes.withUnsafeBytes {
                    pwrite(
                        file.raw, $0.baseAddress.map { $0 + done }, bytes.count - done,
                        off_t(offset) + done)
                }
            }
        }
    }

    func allocate(_ bytes: Int64) throws(SystemError) {
        // Blocks that the file system has set aside: later writes take nothing more of the disk. Where there is
        // no such thing (copy-on-write, log-structured), the file just has its size.
        if try FileSpace.setAside(bytes, for: file, path: path) { return }
        try truncate(to: bytes)
    }

    func truncate(to bytes: Int64) throws(SystemError) {
        _ = try check("shorten \(path)") { ftruncate(file.raw, off_t(bytes)) }
    }

    func sync() throws(SystemError) {
        _ = try check("sync \(path)") { fdatasync(file.raw) }
    }
}
