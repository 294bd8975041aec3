import Glibc

/// Tells that something in some folders changed; the corresponding C function is `inotify_init1`.
///
/// An event means "look again": what it says is not used, and the kernel may drop some.
package final class FolderWatch: Sendable {
    private let descriptor: FileDescriptor

    package init() throws(SystemError) {
        let raw = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        guard raw >= 0 else { throw SystemError("watch folders", code: errno) }
        descriptor = FileDescriptor(owning: raw)
    }

    /// Watches a folder too; one that is watched already, and one that is not there, changes nothing.
    package func add(_ path: String) {
        let mask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ATTRIB
        inotify_add_watch(descriptor.raw, path, UInt32(mask))
    }

    /// Waits until something changed, and forgets what else did by then.
    package func waitForChange() async throws {
        _ = try await Reactor.shared.wait(for: .readable, on: descriptor.raw)
        while let bytes = try? descriptor.read(atMost: 4096), !bytes.isEmpty {}
    }
}
