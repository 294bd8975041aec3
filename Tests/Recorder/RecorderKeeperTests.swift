import Base
import Glibc
import Linux
import Logging
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Recorder

// Against a hang, not for speed: on a busy machine it waits for its turn behind tests that compute.
@Suite("A store that cannot be opened", .timeLimit(.minutes(10)))
struct RecorderKeeperTests {
    /// A disk that is full until it is mended.
    private final class Disk: Sendable {
        let isFull = Mutex(true)
    }

    @Test("readings are counted while it is shut, and told of once it is open")
    func countsAndTells() async throws {
        let folder = try TemporaryFolder()
        let directory = folder.path
        let settings = Settings.Recorder(
            directory: directory, size: ByteSize(bytes: 4_000_000), sync: .milliseconds(20))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let disk = Disk()
        let keeper = RecorderKeeperService(
            settings: settings, clock: HastyClock(), logger: logger,
            open: {
                if disk.isFull.withLock({ $0 }) {
                    throw SystemError("make \(directory)/ring", code: ENOSPC)
                }
                return try RecorderService(settings: settings, logger: logger)
            })
        let run = Task { try await keeper.run() }
        defer { run.cancel() }
        let reading = Reading(
            source: "plc", tag: "t", value: .integer(1),
            time: Timestamp(monotonic: .boot, wall: WallTime(milliseconds: 5)))

        await #expect(throws: RecorderNotOpen.self) { try await keeper.append([reading, reading]) }
        let shut = await keeper.status()
        #expect(shut.lost == 2)
        #expect(!shut.isRecording)

        disk.isFull.withLock { $0 = false }
        // The consumer's first question waits for the store instead of beginning at the wrong place.
        #expect(await keeper.cursor() == 0)
        try await keeper.append([reading])
        try await keeper.waitForRecords(after: 1)
        let records = try await keeper.batch(after: 0, limit: 10)
        let tags = records.map(\.reading.tag)
        #expect(tags == [LossReport.tag, "t"])
        guard case .string(let told)? = records.first?.reading.value else {
            Issue.record("a loss record is a text")
            return
        }
        #expect(told.contains("\"count\":2"))
        #expect(await keeper.status().isRecording)
        withExtendedLifetime(folder) {}
    }
}

/// Waits only a moment for whatever is awaited.
private struct HastyClock: MonotonicClock {
    func now() -> Instant { SystemClock().now() }
    func sleep(until deadline: Instant) async throws {
        try await Task.sleep(for: .milliseconds(20))
    }
}
