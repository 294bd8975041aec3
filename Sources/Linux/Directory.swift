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
}
