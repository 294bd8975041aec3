import Base
import Linux
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Console

/// Its time stands still: whoever waits for longer than `StatusWatchService.settling` waits for ever.
private struct StoppedClock: MonotonicClock {
    func now() -> Instant { Instant(nanoseconds: 1_000_000_000) }

    func sleep(until deadline: Instant) async throws {
        guard deadline - now() > StatusWatchService.settling else { return }
        for await _ in AsyncStream<Never>.makeStream().stream {}
        throw CancellationError()
    }
}

/// A house that is another one with each look, and notes how many look at the same time.
private actor House {
    private var looks = 0
    private var lookers = 0
    private(set) var lookersMax = 0
    private var waiting: CheckedContinuation<Void, Never>?
    private var isHeld = false

    func hold() { isHeld = true }

    func release() {
        isHeld = false
        waiting?.resume()
        waiting = nil
    }

    func look() async -> StatusDocument {
        looks += 1
        lookers += 1
        lookersMax = max(lookersMax, lookers)
        var document = StatusDocument()
        document.cloud.isConnected = looks.isMultiple(of: 2)
        document.cloud.reason = "look \(looks)"
        if isHeld { await withCheckedContinuation { waiting = $0 } }
        lookers -= 1
        return document
    }

    /// Returns once somebody stands there and is held.
    func isLookedAt() -> Bool { waiting != nil }
}

// Against a hang, not for speed.
@Suite("Looks at the house", .timeLimit(.minutes(5)))
struct StatusWatchTests {
    private let folder: TemporaryFolder
    private let house = House()
    private let events: EventLogService
    private let watch: StatusWatchService

    init() throws {
        folder = try TemporaryFolder()
        events = EventLogService(
            store: EventFiles(directory: folder.path + "/events"), boot: "boot",
            time: {
                Timestamp(monotonic: .boot, wall: WallTime(milliseconds: 1_795_010_529_000))
            }, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        watch = StatusWatchService(
            clock: StoppedClock(), events: events, look: { [house] _ in await house.look() })
    }

    private func told() async -> [String] { await events.latest().map(\.what) }

    private func wait(for isSo: () async -> Bool) async throws {
        while !(await isSo()) { try await Task.sleep(for: .milliseconds(5)) }
    }

    @Test("what rings is looked at before the next regular look, and told")
    func ring() async throws {
        let (news, bell) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let running = Task { [watch] in try await watch.run(hearing: news) }
        defer { running.cancel() }
        bell.yield()
        try await wait { await told().contains("look 2") }
    }

    @Test("who rings while the house is looked at has another look after it, not beside it")
    func onlyOneLooks() async throws {
        let (news, bell) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        await house.hold()
        let running = Task { [watch] in try await watch.run(hearing: news) }
        defer { running.cancel() }
        try await wait { await house.isLookedAt() }
        bell.yield()
        // Long enough for a second one to stand beside the first, were it let in.
        try await Task.sleep(for: .milliseconds(50))
        await house.release()
        try await wait { await told().contains("look 2") }
        #expect(await house.lookersMax == 1)
        #expect(await told() == ["look 2"])
    }
}
