package import Base
package import Logging
package import Settings
import Synchronization

/// Records the router's own state, at multiples of an interval since boot.
package final class HealthService: Sendable {
    private let every: Duration
    private let look: @Sendable () async -> RouterHealth
    private let sink: @Sendable ([Reading]) async throws -> Void
    private let clock: any MonotonicClock
    private let wall: @Sendable () -> WallTime
    private let logger: Logger
    private let state: Mutex<MachineStatus>

    /// - Parameters:
    ///   - settings: How often.
    ///   - look: What is known now; waits for nobody for long.
    ///   - sink: Takes all readings of one moment; what it does not take is counted and not offered again.
    ///   - clock: The clock that the moments are aligned to.
    ///   - wall: The wall clock.
    ///   - logger: Gets one `notice` when recording begins or ceases to work.
    package init(
        settings: Settings.Health, look: @escaping @Sendable () async -> RouterHealth,
        sink: @escaping @Sendable ([Reading]) async throws -> Void, clock: any MonotonicClock,
        wall: @escaping @Sendable () -> WallTime, logger: Logger
    ) {
        every = settings.every
        self.look = look
        self.sink = sink
        self.clock = clock
        self.wall = wall
        self.logger = logger
        state = Mutex(MachineStatus(name: Settings.Health.source, address: "this router"))
    }

    /// Records until it is cancelled.
    package func run() async throws {
        state.withLock { $0.isConnected = true }
        while true {
            try await clock.sleep(until: next(after: clock.now()))
            let health = await look()
            let time = Timestamp(monotonic: clock.now(), wall: wall())
            await record(health.readings(at: time), at: time)
        }
    }

    /// In the words of a machine: it is read like one.
    package func status() -> MachineStatus { state.withLock { $0 } }

    private func next(after now: Instant) -> Instant {
        Instant(nanoseconds: (now.nanoseconds / every.nanoseconds + 1) * every.nanoseconds)
    }

    private func record(_ readings: [Reading], at time: Timestamp) async {
        do {
            try await sink(readings)
            let isNews = state.withLock { state in
                state.polls += 1
                state.lastAnswer = time
                defer { state.reason = nil }
                return state.reason != nil
            }
            if isNews { logger.notice("health is recorded again") }
        } catch {
            let isNews = state.withLock { state in
                state.polls += 1
                state.lastAnswer = time
                state.unrecorded += UInt64(readings.count)
                defer { state.reason = "not recorded: \(error)" }
                return state.reason == nil
            }
            if isNews {
                logger.notice("health is not recorded", metadata: ["error": "\(error)"])
            }
        }
    }
}
