package import Base
import CLinux
import Glibc

/// The kernel's clocks.
package struct SystemClock: MonotonicClock {
    package init() {}

    /// Time since boot, suspended time included. The kernel's clock is `CLOCK_BOOTTIME`.
    package func now() -> Instant {
        Instant(nanoseconds: Self.read(CLOCK_BOOTTIME))
    }

    /// The wall clock, which may be wrong and may jump. The kernel's clock is `CLOCK_REALTIME`.
    package func wall() -> WallTime {
        WallTime(milliseconds: Self.read(CLOCK_REALTIME) / 1_000_000)
    }

    /// How far local time is ahead of UTC now. The corresponding C function is `localtime_r`.
    package func utcOffsetSeconds() -> Int { clinux_utc_offset() }

    /// How far local time is ahead of UTC at a moment, by the time zone that this process began with.
    package func utcOffsetSeconds(at time: WallTime) -> Int {
        clinux_utc_offset_at(time.milliseconds / 1000)
    }

    /// The machine's time zone.
    package static let zone: WeeklyHours.Zone = { SystemClock().utcOffsetSeconds(at: $0) }

    package func timestamp() -> Timestamp {
        Timestamp(monotonic: now(), wall: wall())
    }

    package func sleep(until deadline: Instant) async throws {
        guard deadline > now() else { return try Task.checkCancellation() }
        try await Reactor.shared.sleep(until: deadline)
    }

    static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// The identity of this boot: monotonic times of one boot id are comparable.
    package static func bootID() throws(SystemError) -> BootID {
        let path = "/proc/sys/kernel/random/boot_id"
        guard let id = BootID(try SmallFile.readText(path)) else {
            throw SystemError("read a boot id from \(path)", code: EINVAL)
        }
        return id
    }
}
