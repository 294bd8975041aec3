import CLinux
import Glibc

/// Wakes whoever waits for its descriptor to become readable. The corresponding C function is `eventfd`.
package final class Doorbell: Sendable {
    private let event: FileDescriptor

    package init() {
        let raw = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        precondition(raw >= 0, "no descriptor left for a doorbell")
        event = FileDescriptor(owning: raw)
    }

    /// The number to wait for: readable once it has rung.
    package var descriptor: Int32 { event.raw }

    package func ring() {
        var one: UInt64 = 1
        write(event.raw, &one, 8)
    }

    /// Forgets that it has rung.
    package func silence() {
        var count: UInt64 = 0
        read(event.raw, &count, 8)
    }
}
