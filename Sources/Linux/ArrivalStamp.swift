package import Base
import Glibc

/// The kernel's own time of arrival of a datagram (socket(7), `SO_TIMESTAMP`): whoever reads it late still knows when it came.
package enum ArrivalStamp {
    /// An older stamp is not believed: rather has the wall clock, by which the kernel stamps, been set meanwhile.
    package static let ageMax = Duration.seconds(1)

    /// `struct cmsghdr`, and a `struct timespec` at its end.
    private static let (headerBytes, bytes) = (16, 32)

    /// Asks for a stamp on each datagram of a socket. The corresponding C function, whose result this is, is
    /// `setsockopt(SO_TIMESTAMPNS)`.
    package static func request(on raw: Int32) -> Int32 {
        var isOn: Int32 = 1
        return setsockopt(raw, SOL_SOCKET, SO_TIMESTAMPNS, &isOn, 4)
    }

    /// Reads the next datagram without waiting, and tells when it arrived; without a stamp that can be: now. The corresponding
    /// C function, whose result this is, is `recvmsg`.
    package static func receive(
        into buffer: UnsafeMutableRawBufferPointer, from raw: Int32, arrival: inout Instant,
        ageMax: Duration = ArrivalStamp.ageMax
    ) -> Int {
        // Nothing but the stamp was asked for, so there is room for nothing else.
        var control: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        return withUnsafeMutableBytes(of: &control) { control in
            var vector = iovec(iov_base: buffer.baseAddress, iov_len: buffer.count)
            return withUnsafeMutablePointer(to: &vector) { vector in
                var message = msghdr()
                message.msg_iov = vector
                message.msg_iovlen = 1
                message.msg_control = control.baseAddress
                message.msg_controllen = control.count
                let count = recvmsg(raw, &message, Int32(MSG_DONTWAIT))
                guard count >= 0 else { return count }
                // In this order: who is interrupted in between finds it too late, as without a stamp, but never too early.
                let wall = SystemClock.read(CLOCK_REALTIME)
                let now = SystemClock().now()
                let filled = UnsafeRawBufferPointer(
                    start: control.baseAddress, count: min(control.count, message.msg_controllen))
                arrival = Self.arrival(
                    stamp: stamp(in: filled), wall: wall, now: now, ageMax: ageMax)
                return count
            }
        }
    }

    /// Of a control message, in nanoseconds since 1970; nil: it is none, or not a whole one.
    package static func stamp(in control: UnsafeRawBufferPointer) -> Int64? {
        guard control.count >= bytes,
            control.loadUnaligned(fromByteOffset: 0, as: Int.self) >= bytes,
            control.loadUnaligned(fromByteOffset: 8, as: Int32.self) == SOL_SOCKET,
            control.loadUnaligned(fromByteOffset: 12, as: Int32.self) == SO_TIMESTAMPNS
        else { return nil }
        let seconds = control.loadUnaligned(fromByteOffset: headerBytes, as: Int64.self)
        let rest = control.loadUnaligned(fromByteOffset: headerBytes + 8, as: Int64.self)
        return seconds * 1_000_000_000 + rest
    }

    /// When that arrived which was stamped so, by a wall clock that shows `wall` now, both in nanoseconds since 1970.
    package static func arrival(
        stamp: Int64?, wall: Int64, now: Instant, ageMax: Duration = ArrivalStamp.ageMax
    ) -> Instant {
        guard let stamp else { return now }
        let (age, overflows) = wall.subtractingReportingOverflow(stamp)
        guard !overflows, age >= 0, age <= ageMax.nanoseconds else { return now }
        return now - .nanoseconds(age)
    }
}
