package import Base
import Linux
package import Logging
package import Settings
import Synchronization

/// Opens the recorder, and keeps trying when that fails.
///
/// A router whose flash is full, read-only or broken stays online and closed. Meanwhile it counts the
/// readings that it cannot keep, and tells the cloud of them once the store is open.
package actor RecorderKeeperService {
    package typealias Open = @Sendable () throws -> RecorderService

    /// The recorder runs on the same thread: what is handed on to it wakes no other.
    private let executor: ThreadExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    private let settings: Settings.Recorder
    private let clock: any MonotonicClock
    private let logger: Logger
    private let open: Open
    /// At hand from everywhere: what the recorder's board tells needs no turn of its thread.
    private nonisolated let kept = Mutex<RecorderService?>(nil)
    private nonisolated var service: RecorderService? { kept.withLock { $0 } }
    private var trouble = "not opened yet"
    private var missed = LossReport(reason: "store not open")
    private var waiting: [UInt64: AsyncStream<Void>.Continuation] = [:]
    private var nextWaiter: UInt64 = 0

    /// Pause between two attempts to open the store.
    package static let retryPause = Duration.seconds(5)

    package init(
        settings: Settings.Recorder, clock: any MonotonicClock, logger: Logger, open: Open? = nil
    ) {
        self.settings = settings
        self.clock = clock
        self.logger = logger
        let executor = ThreadExecutor(name: "recorder")
        self.executor = executor
        self.open =
            open ?? {
                try RecorderService(
                    settings: settings, clock: clock, logger: logger, executor: executor)
            }
    }

    /// Opens the store, tries again every `retryPause` until that succeeds, and runs it until cancelled.
    package func run() async throws {
        while true {
            do {
                let opened = try open()
                if missed.count > 0 { await opened.tell(missed) }
                kept.withLock { $0 = opened }
                break
            } catch {
                if !trouble.hasSuffix("\(error)") {
                    logger.error("recorder cannot be opened", metadata: ["error": "\(error)"])
                }
                trouble =
                    (error as? SystemError)?.isDiskFull ?? false
                    ? "disk full: \(error)" : "\(error)"
            }
            do {
                try await clock.sleep(until: clock.now() + Self.retryPause)
            } catch {
                return  // Cancelled: the normal end.
            }
        }
        for waiter in waiting.values { waiter.finish() }
        try await service?.run()
    }

    /// Accepts readings; throws when they are not kept, and then counts them as lost.
    package func append(
        _ readings: [Reading], as recordClass: RecordClass = .sample
    ) async throws {
        guard let service else {
            for reading in readings { missed.add(reading) }
            throw RecorderNotOpen(reason: trouble)
        }
        try await service.append(readings, as: recordClass)
    }

    /// The same, and returns when they are on flash.
    package func record(_ readings: [Reading]) async throws {
        guard let service else { throw RecorderNotOpen(reason: trouble) }
        try await service.record(readings)
    }

    /// The store, or why there is none now.
    func openOrThrow() throws(RecorderNotOpen) -> RecorderService {
        guard let service else { throw RecorderNotOpen(reason: trouble) }
        return service
    }

    package func batch(after sequence: UInt64, limit: Int) async throws -> [Record] {
        try await opened().batch(after: sequence, limit: limit)
    }

    /// It waits where its caller runs.
    package nonisolated func waitForRecords(after sequence: UInt64) async throws {
        let service = if let service { service } else { try await opened() }
        try await service.waitForRecords(after: sequence)
    }

    /// It waits where its caller runs.
    package nonisolated func nextBatch(after sequence: UInt64, limit: Int) async throws
        -> [Record]
    {
        let service = if let service { service } else { try await opened() }
        return try await service.nextBatch(after: sequence, limit: limit)
    }

    package nonisolated func acknowledge(through sequence: UInt64) {
        service?.acknowledge(through: sequence)
    }

    package nonisolated func backlog() -> UInt64 { service?.backlog ?? 0 }

    /// The newest record's sequence; it may not be on flash yet.
    package nonisolated func newest() -> UInt64 { service?.board.newest ?? 0 }

    /// Waits for the store: a consumer that began at the wrong place would be sent everything again.
    package func cursor() async -> UInt64 {
        guard let service = try? await opened() else { return 0 }
        return await service.cursor()
    }

    package func status() async -> RecorderStatus {
        if let service { return await service.status() }
        return RecorderStatus(
            state: "degraded: " + trouble, bytesUsed: ByteSize(bytes: 0), quota: settings.size,
            firstSequence: 1, lastSequence: 0, durableThrough: 0, cursor: 0, unsent: 0, accepted: 0,
            lost: missed.count, damagedFrames: 0)
    }

    /// The store, once it is open; throws `CancellationError` when cancelled.
    func opened() async throws -> RecorderService {
        let id = nextWaiter
        nextWaiter += 1
        defer { waiting[id] = nil }
        while true {
            if let service { return service }
            let (stream, continuation) = AsyncStream<Void>.makeStream(
                bufferingPolicy: .bufferingNewest(1))
            waiting[id] = continuation
            for await _ in stream {}
            try Task.checkCancellation()
        }
    }
}

/// The store is not open: readings cannot be kept.
package struct RecorderNotOpen: Error, CustomStringConvertible {
    let reason: String

    package var description: String { "nothing is recorded: \(reason)" }
}
