import Glibc

/// An open file descriptor, closed when this value ends its life.
package struct FileDescriptor: ~Copyable, Sendable {
    /// The number, for system calls while this value is alive.
    package let raw: Int32

    /// Takes over an open descriptor.
    package init(owning raw: Int32) {
        self.raw = raw
    }

    /// Opens a path, close-on-exec. The corresponding C function is `open`.
    package init(open path: String, flags: Int32, mode: UInt32 = 0o640) throws(SystemError) {
        raw = try check("open \(path)") { open(path, flags | O_CLOEXEC, mode) }
    }

    /// Gives the descriptor away without closing it.
    package consuming func release() -> Int32 {
        let number = raw
        discard self
        return number
    }

    deinit {
        close(raw)
    }
}

extension FileDescriptor {
    /// Reads at most `count` bytes; an empty result is the end. The corresponding C function is `read`.
    package borrowing func read(atMost count: Int) throws(SystemError) -> [UInt8] {
        let raw = raw
        return try readBytes("read", atMost: count) { Glibc.read(raw, $0, count) }
    }

    /// Writes all bytes, in as many calls as the kernel needs. The corresponding C function is `write`.
    package borrowing func writeAll(_ bytes: [UInt8]) throws(SystemError) {
        let raw = raw
        var done = 0
        while done < bytes.count {
            done += try check("write") {
                bytes.withUnsafeBytes {
                    Glibc.write(raw, $0.baseAddress.map { $0 + done }, bytes.count - done)
                }
            }
        }
    }
}

/// Small files: `/proc` entries, state files, certificates.
package enum SmallFile {
    /// The whole file, which may not be longer than `bytesMax`; `EFBIG` if it is.
    package static func read(_ path: String, bytesMax: Int = 1 << 20) throws(SystemError) -> [UInt8]
    {
        try read(try FileDescriptor(open: path, flags: O_RDONLY), path, bytesMax)
    }

    /// The same of a file that lies there itself: no link to another one (`ELOOP`), no pipe or device (`EINVAL`).
    package static func readOwn(_ path: String, bytesMax: Int = 1 << 20) throws(SystemError)
        -> [UInt8]
    {
        let file = try FileDescriptor(open: path, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        let raw = file.raw
        var about = stat()
        _ = try check("look at \(path)") { fstat(raw, &about) }
        guard about.st_mode & S_IFMT == S_IFREG else {
            throw SystemError("read \(path)", code: EINVAL)
        }
        return try read(file, path, bytesMax)
    }

    private static func read(
        _ file: borrowing FileDescriptor, _ path: String, _ bytesMax: Int
    ) throws(SystemError) -> [UInt8] {
        var content: [UInt8] = []
        while true {
            let chunk = try file.read(atMost: min(16384, bytesMax + 1 - content.count))
            if chunk.isEmpty { return content }
            content += chunk
            guard content.count <= bytesMax else { throw SystemError("read \(path)", code: EFBIG) }
        }
    }

    /// The whole file as text; invalid UTF-8 is replaced.
    package static func readText(_ path: String, bytesMax: Int = 1 << 20) throws(SystemError)
        -> String
    {
        String(decoding: try read(path, bytesMax: bytesMax), as: UTF8.self)
    }

    /// Replaces a file so that after a power cut either the old or the new content is there.
    ///
    /// It has this very mode, whatever the umask takes away from new files; and `owner`, if we may give it away.
    package static func replace(
        _ path: String, with content: [UInt8], mode: UInt32 = 0o640,
        owner: (user: UInt32, group: UInt32)? = nil
    ) throws(SystemError) {
        let temporary = path + ".new"
        let file = try FileDescriptor(
            open: temporary, flags: O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
        try file.writeAll(content)
        let raw = file.raw
        // Only root may, and only root needs to; and a stick has neither owners nor modes.
        if let owner { _ = fchown(raw, owner.user, owner.group) }
        _ = fchmod(raw, mode)
        _ = try check("sync \(temporary)") { fdatasync(raw) }
        _ = try check("rename \(temporary) to \(path)") { rename(temporary, path) }
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        try Directory.sync(folder.isEmpty ? "/" : folder)
    }
}
