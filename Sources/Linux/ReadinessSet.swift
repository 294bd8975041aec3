import CLinux
import Glibc

/// Descriptors that are waited for together, by one descriptor that the reactor can wait on: `epoll(7)`.
package struct ReadinessSet: ~Copyable, Sendable {
    /// Readable while any of them is ready.
    package var descriptor: Int32 { epoll.raw }
    private let epoll: FileDescriptor

    /// The corresponding C function is `epoll_create1`.
    package init() throws(SystemError) {
        epoll = FileDescriptor(
            owning: try check("open a set of descriptors") { epoll_create1(O_CLOEXEC) })
    }

    /// Waits for a descriptor, too, until it is closed. The corresponding C function is `epoll_ctl`.
    package borrowing func add(
        _ descriptor: Int32, for direction: Reactor.Direction, as number: UInt64
    ) throws(SystemError) {
        let raw = epoll.raw
        let wanted = direction == .readable ? EPOLLIN : EPOLLOUT
        var event = epoll_event(events: wanted.rawValue, data: epoll_data_t(u64: number))
        _ = try check("wait for descriptor \(descriptor)") {
            epoll_ctl(raw, EPOLL_CTL_ADD, descriptor, &event)
        }
    }

    /// The numbers of those that are ready now, `most` at most. The corresponding C function is `epoll_wait`.
    package borrowing func ready(most: Int = 64) throws(SystemError) -> [UInt64] {
        let raw = epoll.raw
        var events = [epoll_event](repeating: epoll_event(), count: most)
        let count = try check("look which descriptors are ready") {
            epoll_wait(raw, &events, Int32(most), 0)
        }
        return events.prefix(Int(count)).map(\.data.u64)
    }
}
