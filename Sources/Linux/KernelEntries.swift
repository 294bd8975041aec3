import Glibc
import Synchronization

/// Entries of `/proc/sys` and `/sys` that are looked at again and again. Each stays open: to find one takes the kernel several times as
/// long as to read it.
package final class KernelEntries: Sendable {
    /// Most bytes of one entry that are read.
    package static let bytesMax = 64

    private let descriptors = Mutex<[String: Int32]>([:])

    package init() {}

    deinit {
        descriptors.withLock { for descriptor in $0.values { close(descriptor) } }
    }

    /// The entry's first line, without its end. The corresponding C function is `pread`.
    package func line(_ path: String) throws(SystemError) -> [UInt8] {
        try descriptors.withLock { descriptors throws(SystemError) in
            if let kept = descriptors[path] {
                if let line = try? Self.line(kept, path) { return line }
                // The interface that it belonged to has gone; there may be another one of that name.
                descriptors[path] = nil
                close(kept)
            }
            let file = try FileDescriptor(open: path, flags: O_RDONLY)
            let line = try Self.line(file.raw, path)
            descriptors[path] = file.release()
            return line
        }
    }

    private static func line(_ descriptor: Int32, _ path: String) throws(SystemError) -> [UInt8] {
        let bytes = try readBytes("read \(path)", atMost: bytesMax) {
            pread(descriptor, $0, bytesMax, 0)
        }
        return Array(bytes.prefix { $0 != UInt8(ascii: "\n") })
    }
}
