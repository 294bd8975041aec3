import Base
import Glibc
import Linux
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Recorder
@testable import Settings

@Suite struct RecorderServiceTests {
    /// A directory of its own, removed at the end.
    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        try await body(folder.path)
        withExtendedLifetime(folder) {}
    }

    private func open(_ path: String, sync: Duration = .milliseconds(10)) throws -> RecorderService
    {
        try RecorderService(
            settings: Settings.Recorder(
                directory: path, size: ByteSize(bytes: 1 << 20), sync: sync),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test("a process that is abandoned without closing loses nothing that was accepted")
    func abandoned() async throws {
        try await withDirectory { path in
            let directory = path + "/a/b"
            do {
                let service = try open(directory)
                try await service.append((1...500).map { reading($0) })
            }
            let service = try await eventually { try open(directory) }
            #expect(
                try await service.batch(after: 0, limit: 1000).map(\.reading)
                    == (1...500).map { reading($0) })
            var about = stat()
            stat(directory, &about)
            #expect(about.st_mode & 0o777 == 0o750)
            stat(directory + "/" + FileName.segment(0), &about)
            #expect(about.st_mode & 0o777 == 0o640)
        }
    }

    @Test("what comes after a quiet time is synced at once, what follows waits for its turn")
    func syncsInTurn() async throws {
        try await withDirectory { path in
            let service = try open(path, sync: .seconds(60))
            let run = Task { try await service.run() }
            for number in 1...2 {
                try await service.append([reading(number)])
                try await service.waitForRecords(after: UInt64(number - 1))
            }
            try await service.append([reading(3)])
            let status = await service.status()
            #expect(status.lastSequence == 3)
            #expect(status.durableThrough == 2)
            // The end is a sync, too.
            run.cancel()
            try await run.value
            #expect(await service.status().durableThrough == 3)
        }
    }

    @Test(
        "behaviour 8: what is pushed is answered when it is on flash, and refused while the flash fails"
    )
    func record() async throws {
        let disk = FakeDisk()
        let service = try RecorderService(
            settings: Settings.Recorder(
                directory: "fake", size: ByteSize(bytes: 1 << 20), sync: .milliseconds(10)),
            directory: disk, bootID: bootID, clock: SystemClock(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let run = Task { try await service.run() }
        try await service.record([reading(1)])
        #expect(await service.status().durableThrough == 1)
        disk.state.withLock { $0.syncsToFail = .max }
        await #expect(throws: NotOnFlash.self) { try await service.record([reading(2)]) }
        #expect(await service.status().durableThrough == 1)
        disk.state.withLock { $0.syncsToFail = 0 }
        for _ in 0..<500 {
            if await service.status().isRecording { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        try await service.record([reading(3)])
        #expect(await service.status().durableThrough == 3)
        #expect(
            try await service.batch(after: 0, limit: 9).map(\.reading)
                == [reading(1), reading(2), reading(3)])
        run.cancel()
        try await run.value
    }

    /// The lock goes with the actor, whose last reference its own thread may hold for a moment.
    private func eventually<R>(_ body: () async throws -> R) async throws -> R {
        for _ in 0..<200 {
            if let result = try? await body() { return result }
            try await Task.sleep(for: .milliseconds(10))
        }
        return try await body()
    }

    @Test("records flow: append, wait, batch, acknowledge, and again after a restart")
    func flow() async throws {
        try await withDirectory { path in
            do {
                let service = try open(path)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await service.run() }
                    group.addTask {
                        for n in 1...50 {
                            try await service.append([reading(2 * n - 1), reading(2 * n)])
                            try await Task.sleep(for: .milliseconds(1))
                        }
                    }
                    var received: [Record] = []
                    while received.count < 100 {
                        let cursor = received.last?.sequence ?? 0
                        try await service.waitForRecords(after: cursor)
                        received += try await service.batch(after: cursor, limit: 7)
                        service.acknowledge(through: received.last?.sequence ?? 0)
                    }
                    #expect(received.map(\.reading) == (1...100).map { reading($0) })
                    group.cancelAll()
                }
                let status = await service.status()
                #expect(status.state == "recording")
                #expect(status.cursor == 100)
                #expect(status.unsent == 0)
                #expect(status.durableThrough == 100)
                #expect(status.accepted == 100)
                #expect(status.newest == reading(100).time.wall)
                await service.close()
                await #expect(throws: SystemError.self) { try await service.append([reading(1)]) }
            }
            let service = try await eventually { try open(path) }
            #expect(await service.cursor() == 100)
            #expect(service.backlog == 0)
        }
    }

    @Test("what is acknowledged counts at once, and in the recorder before anything else is done")
    func acknowledged() async throws {
        try await withDirectory { path in
            let service = try open(path)
            try await service.append((1...10).map { reading($0) }, as: .alarm)
            #expect(service.backlog == 10)
            #expect(service.board.newest == 10)
            service.acknowledge(through: 7)
            #expect(service.backlog == 3)
            #expect(await service.cursor() == 7)
            service.acknowledge(through: 5)
            #expect(await service.status().unsent == 3)
            // There are records: nobody waits.
            try await service.waitForRecords(after: 7)
            #expect(service.board.waiting == 0)
            await service.close()
        }
    }

    @Test("who waits for records is handed them, no more than asked for, and none twice")
    func handOver() async throws {
        try await withDirectory { path in
            let service = try open(path)
            let run = Task { try await service.run() }
            let waiting = Task { try await service.nextBatch(after: 0, limit: 2) }
            try await untilWaiting(1, for: service)
            try await service.append((1...3).map { reading($0) })
            #expect(try await waiting.value.map(\.sequence) == [1, 2])
            #expect(try await service.nextBatch(after: 2, limit: 9).map(\.reading) == [reading(3)])
            let cancelled = Task { try await service.nextBatch(after: 3, limit: 9) }
            let closed = Task { try await service.nextBatch(after: 3, limit: 9) }
            try await untilWaiting(2, for: service)
            cancelled.cancel()
            await #expect(throws: CancellationError.self) { try await cancelled.value }
            await service.close()
            await #expect(throws: CancellationError.self) { try await closed.value }
            run.cancel()
            try await run.value
        }
    }

    private func untilWaiting(_ count: Int, for service: RecorderService) async throws {
        for _ in 0..<500 where service.board.waiting != count {
            try await Task.sleep(for: .milliseconds(10))
        }
        try #require(service.board.waiting == count)
    }

    @Test func waitingEndsWhenCancelledAndWhenClosed() async throws {
        try await withDirectory { path in
            let service = try open(path)
            let waiting = Task { try await service.waitForRecords(after: 0) }
            try await Task.sleep(for: .milliseconds(20))
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            // Nothing of it is left, however long there are no records.
            try await eventually { try #require(service.board.waiting == 0) }
            let other = Task { try await service.waitForRecords(after: 0) }
            try await Task.sleep(for: .milliseconds(20))
            await service.close()
            await #expect(throws: CancellationError.self) { try await other.value }
        }
    }

    @Test("on a real file system the whole directory stays within the quota")
    func realBound() async throws {
        try await withDirectory { path in
            let service = try open(path)
            let files = try? DirectoryFiles(path: path)
            #expect(files == nil, "the service holds the lock")
            var random = SeededGenerator(seed: 1)
            for n in 0..<1500 {
                try await service.append([noise(n, bytes: 2000, &random)])
                guard n % 60 == 0 else { continue }
                let result = try await Command.run(["/usr/bin/du", "-sb", path])
                let bytes = Int(result.output.prefix { $0.isNumber })
                #expect(try #require(bytes) <= 1 << 20)
            }
            #expect(await service.status().lost > 0)
            #expect(await service.status().firstSequence > 1)
        }
    }

    @Test("a second daemon on the directory is told whose it is")
    func locked() async throws {
        try await withDirectory { path in
            let service = try open(path)
            #expect {
                try open(path)
            } throws: { error in
                "\(error)".hasPrefix(
                    "cannot lock \(path)/lock, another daemon records into this directory: ")
            }
            await service.close()
        }
    }

    @Test("a directory that cannot be is an error that names it")
    func impossible() {
        #expect {
            try open("/proc/drawbridge")
        } throws: { error in
            "\(error)".hasPrefix("cannot make the directory /proc/drawbridge: ")
        }
    }
}
