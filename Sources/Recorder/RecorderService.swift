package import Base
package import Linux
package import Logging
package import Settings

/// The recorder: keeps every reading on flash until the cloud has it, within its quota.
///
/// All file access happens on the recorder's own thread, `executor`.
package actor RecorderService {
    private let executor: ThreadExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    private let settings: Settings.Recorder
    private let clock: any MonotonicClock
    private let logger: Logger
    private let isClockKept: @Sendable () -> Bool
    var store: RingStore
    private var accepted: UInt64 = 0
    private var isClosed = false
    private var lastState: String
    private var nextCursorSave: Instant
    /// Each sync costs the flash a write and pays for `settings.sync`; one may be made in advance, or a
    /// source with that very period would wait for it each time (a leaky bucket of two).
    private var syncsPaidUntil: Instant
    private let bell = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    nonisolated let board: RecordBoard
    /// Woken after each turn of the sync loop.
    private var turns: [UInt64: AsyncStream<Void>.Continuation] = [:]
    private var nextTurn: UInt64 = 0

    /// How long a cursor that has moved waits for records that take it to flash with them. After a power cut the
    /// consumer gets at most what it has confirmed in this time again.
    package static let cursorInterval = Duration.seconds(2)

    /// Opens the store in `settings.directory`, which is made if it is not there. Blocks while it reads.
    package init(
        settings: Settings.Recorder, clock: any MonotonicClock = SystemClock(), logger: Logger,
        executor: ThreadExecutor = ThreadExecutor(name: "recorder")
    ) throws(SystemError) {
        try self.init(
            settings: settings, directory: try DirectoryFiles(path: settings.directory),
            bootID: try SystemClock.bootID(), clock: clock,
            isClockKept: { ClockFacts.isSynchronised() }, logger: logger, executor: executor)
    }

    /// `wall` is the wall clock, `isClockKept` says whether a time service keeps it.
    package init(
        settings: Settings.Recorder, directory: some RingDirectory, bootID: BootID,
        clock: any MonotonicClock,
        wall: @escaping @Sendable () -> WallTime = { SystemClock().wall() },
        isClockKept: @escaping @Sendable () -> Bool = { false }, logger: Logger,
        executor: ThreadExecutor = ThreadExecutor(name: "recorder")
    ) throws(SystemError) {
        self.executor = executor
        self.settings = settings
        self.clock = clock
        self.logger = logger
        self.isClockKept = isClockKept
        let store = try RingStore(directory, quota: settings.size, bootID: bootID) {
            Timestamp(monotonic: clock.now(), wall: wall())
        }
        self.store = store
        board = RecordBoard(.init(store))
        lastState = "recording"
        nextCursorSave = clock.now()
        syncsPaidUntil = clock.now()
        logger.notice(
            "recorder opened",
            metadata: [
                "directory": "\(settings.directory)", "first": "\(store.firstSequence)",
                "last": "\(store.lastSequence)", "cursor": "\(store.cursor)",
                "lost": "\(store.lost)", "damaged": "\(store.damagedBlocks)",
            ])
    }

    /// Accepts readings: they survive the end of this process at once, a power cut after the next sync. Alarms
    /// are on flash when this returns; those that come together share one write.
    ///
    /// Throws when they could not be taken: then they are counted as lost, and a loss record will tell. Thrown for
    /// alarms, it may also mean that they wait in memory for a flash that fails.
    package func append(
        _ readings: [Reading], as recordClass: RecordClass = .sample
    ) async throws {
        guard !isClosed else { throw SystemError("record into \(settings.directory)", code: 9) }
        defer { tellState() }
        takeAcknowledged()
        let before = store.nextSequence
        defer { accepted += store.nextSequence - before }
        try store.append(readings, as: recordClass)
        bell.continuation.yield()
        guard recordClass == .alarm else { return }
        let last = store.lastSequence
        // Whoever came at the same time writes first: then one sync serves all.
        await Task.yield()
        if store.durableThrough < last { try store.sync() }
        endTurn()
    }

    /// Accepts readings, and returns when they are on flash, which is in the next turn of the sync loop. Throws when
    /// they could not be taken, or wait in memory for a flash that fails.
    package func record(_ readings: [Reading]) async throws {
        try await append(readings)
        let last = store.lastSequence
        while store.durableThrough < last {
            if let trouble = store.trouble { throw NotOnFlash(reason: trouble) }
            let id = nextTurn
            nextTurn += 1
            let (stream, wakeUp) = AsyncStream<Void>.makeStream(
                bufferingPolicy: .bufferingNewest(1))
            turns[id] = wakeUp
            for await _ in stream { break }
            turns[id] = nil
            try Task.checkCancellation()
            guard !isClosed || store.durableThrough >= last else {
                throw NotOnFlash(reason: "the recorder is closed")
            }
        }
    }

    /// Readings were lost before they reached the store: the cloud is told in a loss record.
    package func tell(_ loss: LossReport) {
        // The sync loop's next turn puts it on flash.
        takeAcknowledged()
        store.lose(loss)
        store.takePendingLoss()
    }

    /// The records after `sequence` that are safely on flash, in order, at most `limit` and about 1 MiB.
    package func batch(after sequence: UInt64, limit: Int) async throws -> [Record] {
        let records = try store.batch(after: sequence, limit: limit)
        if records.isEmpty {
            board.foundNothing(after: sequence, through: store.deliverableThrough)
        }
        return records
    }

    /// Returns when there are records after `sequence`; throws `CancellationError` when cancelled, or closed.
    ///
    /// It waits where its caller runs.
    package nonisolated func waitForRecords(after sequence: UInt64) async throws {
        guard let announcement = board.announcement(after: sequence, limit: 0) else { return }
        for await _ in announcement { return }
        throw CancellationError()
    }

    /// The same as `batch`, as soon as there are records after `sequence`; empty if they cannot be read then: `batch` says why.
    ///
    /// It waits where its caller runs, and what it waits for is read by the recorder's thread when it is awake anyway.
    package nonisolated func nextBatch(after sequence: UInt64, limit: Int) async throws
        -> [Record]
    {
        guard let announcement = board.announcement(after: sequence, limit: limit) else {
            return try await batch(after: sequence, limit: limit)
        }
        for await records in announcement { return records }
        throw CancellationError()
    }

    /// The consumer has everything up to `sequence`; told again, nothing happens.
    package nonisolated func acknowledge(through sequence: UInt64) {
        board.acknowledge(through: sequence)
    }

    /// Up to which sequence the consumer has everything.
    package func cursor() async -> UInt64 {
        takeAcknowledged()
        return store.cursor
    }

    /// How many records the consumer does not have yet.
    package nonisolated var backlog: UInt64 { board.backlog }

    /// Syncs once in `settings.sync` on average, what comes after a quiet time at once, and nothing later
    /// than `settings.sync`; a last time when it is cancelled.
    package func run() async throws {
        // On the store's thread, waiting included: nobody else is woken for a turn.
        await withTaskExecutorPreference(executor) { await takeTurns() }
    }

    private func takeTurns() async {
        await withThrowingTaskGroup(of: Void.self) { group in
            // What is no reading comes in turn, too: the cursor, and what has failed before. In step with whatever else is
            // done at whole seconds.
            group.addTask { [self, clock, bell] in
                while true {
                    try await clock.sleep(until: await nextOwnTurn)
                    bell.continuation.yield()
                }
            }
            for await _ in bell.stream {
                if isClosed { break }
                let isNew = store.durableThrough < store.lastSequence
                if isNew {
                    guard (try? await clock.sleep(until: syncsPaidUntil - settings.sync)) != nil
                    else { break }
                    syncsPaidUntil = max(syncsPaidUntil, clock.now()) + settings.sync
                }
                sync(at: clock.now())
            }
            group.cancelAll()
        }
        sync(at: nil)
    }

    /// When there is a turn also without readings.
    private var nextOwnTurn: Instant {
        let now = clock.now()
        let due = store.trouble == nil ? max(now, nextCursorSave) : now
        return due.next(multipleOf: settings.sync)
    }

    /// Syncs, writes the cursor, and accepts nothing any more.
    package func close() async {
        guard !isClosed else { return }
        sync(at: nil)
        isClosed = true
        board.close()
        for turn in turns.values { turn.finish() }
    }

    package func status() async -> RecorderStatus {
        takeAcknowledged()
        return RecorderStatus(
            state: isClosed ? "closed" : state, bytesUsed: ByteSize(bytes: store.bytesUsed),
            quota: settings.size, firstSequence: store.firstSequence,
            lastSequence: store.lastSequence, durableThrough: store.durableThrough,
            oldest: store.oldest, newest: store.newest, cursor: store.cursor,
            unsent: store.lastSequence - min(store.cursor, store.lastSequence),
            accepted: accepted, lost: store.lost, damagedFrames: store.damagedBlocks,
            cursors: store.namedCursors)
    }

    /// One turn of the sync loop; the cursor is written in turn, or at once if `now` is nil.
    private func sync(at now: Instant?) {
        takeAcknowledged()
        if isClockKept(), store.clockIsKept(store.now()) {
            logger.notice("clock is kept: times recorded since boot are told in its terms")
        }
        let isNew = store.durableThrough < store.lastSequence
        // What fails here stays in the store's state: it is told, and tried again in the next turn.
        try? store.sync()
        if isNew, now != nil {
            nextCursorSave = clock.now() + Self.cursorInterval
        } else if now.map({ $0 >= nextCursorSave }) ?? true {
            nextCursorSave = clock.now() + Self.cursorInterval
            try? store.saveCursor()
        }
        endTurn()
        tellState()
    }

    private func endTurn() {
        for turn in turns.values { turn.yield() }
    }

    /// What the consumer has said meanwhile counts before anything is overwritten or written.
    private func takeAcknowledged() { store.acknowledge(through: board.acknowledged) }

    private var state: String { store.trouble.map { "degraded: " + $0 } ?? "recording" }

    private func tellState() {
        board.show(.init(store)) { (try? store.batch(after: $0, limit: $1)) ?? [] }
        guard state != lastState else { return }
        lastState = state
        logger.notice(
            "recorder state changed",
            metadata: ["state": "\(state)", "lost": "\(store.lost)"])
    }
}

/// Readings were taken and are not on flash: they wait in memory.
package struct NotOnFlash: Error, CustomStringConvertible {
    let reason: String

    package var description: String { "the flash does not take it: \(reason)" }
}

extension RecordBoard.Marks {
    init(_ store: RingStore) {
        self.init(
            last: store.lastSequence, deliverable: store.deliverableThrough, cursor: store.cursor)
    }
}
