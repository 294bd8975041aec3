import Glibc

/// A small file that holds a secret: only its owner may write it, and only its group may read it besides.
package enum SecretFile {
    package struct Problem: Error, Equatable, CustomStringConvertible, Sendable {
        package let description: String

        package init(_ description: String) { self.description = description }
    }

    /// The first line's bytes; the file has no other one.
    package static func line(_ path: String, bytesMax: Int) throws(Problem) -> [UInt8] {
        var file = stat()
        guard stat(path, &file) == 0 else {
            throw Problem("cannot read \(path): \(String(cString: strerror(errno)))")
        }
        guard file.st_mode & 0o137 == 0 else {
            throw Problem("\(path) is not private: make it chmod 0640, or 0600")
        }
        var bytes: [UInt8]
        do throws(SystemError) {
            bytes = try SmallFile.read(path, bytesMax: bytesMax + 2)
        } catch {
            throw Problem("cannot read \(path): \(error)")
        }
        if bytes.last == 10 { bytes.removeLast() }
        if bytes.last == 13 { bytes.removeLast() }
        guard !bytes.isEmpty, bytes.count <= bytesMax, !bytes.contains(10) else {
            throw Problem("\(path) is not one line of 1 to \(bytesMax) bytes")
        }
        return bytes
    }
}
