import Glibc

/// Directories of the daemon.
package enum Directory {
    /// Makes a directory and what is missing above it, mode 0750; one that is there stays as it is.
    package static func make(_ path: String) throws(SystemError) {
        var partial = ""
        for part in path.split(separator: "/") {
            partial += "/" + part
            guard mkdir(partial, 0o750) != 0, errno != EEXIST else { continue }
            let code = errno
            var about = stat()
            // A read-only file system says EROFS also for what is there.
            if stat(partial, &about) == 0, about.st_mode & S_IFMT == S_IFDIR { continue }
            throw SystemError("make the directory \(partial)", code: code)
        }
    }

    /// Has its entries survive a power cut. The corresponding C function is `fsync`.
    package static func sync(_ path: String) throws(SystemError) {
        let directory = try FileDescriptor(open: path, flags: O_RDONLY | O_DIRECTORY)
        let raw = directory.raw
        _ = try check("sync \(path)") { fsync(raw) }
    }
}
