import CLinux
import Glibc

/// Wakes a thread that sleeps in `poll`. The corresponding C function is `eventfd`.
package struct Bell: ~Copyable, Sendable {
    private let event: FileDescriptor

    package init() throws(SystemError) {
        event = FileDescriptor(
            owning: try check("make an eventfd") { eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)) })
    }

    /// The number to poll: readable once it has rung.
    package var descriptor: Int32 { event.raw }

    package borrowing func ring() {
        var one: UInt64 = 1
        write(event.raw, &one, 8)
    }

    /// Forgets that it has rung.
    package borrowing func silence() {
        var count: UInt64 = 0
        read(event.raw, &count, 8)
    }
}
