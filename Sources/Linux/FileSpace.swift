import CLinux
import Glibc

/// Room for files on the disk.
package enum FileSpace {
    /// Sets blocks aside for the first `bytes` of a file, which reads as zeros where nothing was written. False
    /// where the file system knows no such thing, or is memory (tmpfs), which must not be taken up for nothing.
    /// The corresponding C function is `fallocate`.
    package static func setAside(_ bytes: Int64, for file: borrowing FileDescriptor, path: String)
        throws(SystemError) -> Bool
    {
        let result = clinux_fallocate(file.raw, bytes)
        if result == -EOPNOTSUPP || result == -ENOSYS { return false }
        _ = try checkShim("set aside \(bytes) bytes for \(path)", result)
        return true
    }
}
