import Glibc

/// Makes sure that one instance runs: an exclusive lock on a file, held as long as this value lives.
///
/// The kernel lets go of the lock when the process ends, however it ends; the file stays. The corresponding
/// C function is `flock`.
package struct LockFile: ~Copyable, Sendable {
    package enum Failure: Error, Equatable, CustomStringConvertible {
        /// Another process holds it; nil while it has not yet written its number.
        case held(path: String, processID: Int32?)
        case system(SystemError)

        package var description: String {
            switch self {
            case .held(let path, let processID):
                let holder = processID.map { "process \($0)" } ?? "another process"
                return "drawbridge is already running as \(holder), which holds \(path)"
            case .system(let error):
                return error.description
            }
        }
    }

    private let file: FileDescriptor

    /// Takes the lock, or says at once who has it.
    package init(_ path: String) throws(Failure) {
        do throws(SystemError) {
            file = try Self.lock(path)
        } catch  where error.code == EWOULDBLOCK {
            throw .held(path: path, processID: Self.holder(path))
        } catch {
            throw .system(error)
        }
    }

    private static func lock(_ path: String) throws(SystemError) -> FileDescriptor {
        let file = try FileDescriptor(open: path, flags: O_RDWR | O_CREAT, mode: 0o644)
        let raw = file.raw
        _ = try check("lock \(path)") { flock(raw, LOCK_EX | LOCK_NB) }
        _ = try check("empty \(path)") { ftruncate(raw, 0) }
        try file.writeAll(Array("\(getpid())\n".utf8))
        return file
    }

    private static func holder(_ path: String) -> Int32? {
        guard let text = try? SmallFile.readText(path, bytesMax: 64) else { return nil }
        return Int32(text.prefix { $0.isNumber })
    }
}
