import Glibc
import Linux

/// A folder that ends with this value, with all that is in it.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        var template = Array("/tmp/drawbridge-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw SystemError("make a temporary folder", code: errno)
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.empty(path) }

    /// Removes a folder, what is in it first; a link is removed and not followed.
    private static func empty(_ path: String) {
        // A file, a link or an empty folder goes at once.
        guard remove(path) != 0, let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { empty(path + "/" + name) }
        }
        closedir(folder)
        rmdir(path)
    }
}
