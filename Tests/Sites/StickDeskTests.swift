import Base
import Console
import Logging
import Testing

@testable import drawbridge

/// News of USB sticks in the event log: root's only, and not without end (behaviour 5.7).
@Suite("News of USB sticks", .timeLimit(.minutes(1)))
struct StickDeskTests {
    private final class NoStore: EventStore {
        func open() throws -> (last: EventEntry?, repaired: String?) { (nil, nil) }
        func append(_ entries: [EventEntry]) throws {}
    }

    private let events = EventLogService(
        store: NoStore(), boot: "boot",
        time: { Timestamp(monotonic: Instant(nanoseconds: 0), wall: WallTime(milliseconds: 0)) },
        logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))

    private func request(from user: UInt32?) -> ConsoleRequest {
        var request = ConsoleRequest.stick(who: "USB stick, key SHA256:1", "kept")
        request.userID = user
        return request
    }

    @Test("behaviour 5.7: root's news is an event; nobody else's is")
    func whoTells() async {
        let desk = StickDesk()
        for user in [nil, 1000] as [UInt32?] {
            let reply = await desk.answer(request(from: user), at: Instant(nanoseconds: 0), events)
            #expect(reply.error == "only root tells of sticks")
        }
        #expect(await events.latest().isEmpty)
        let reply = await desk.answer(request(from: 0), at: Instant(nanoseconds: 0), events)
        #expect(reply.error == nil)
        #expect(await events.latest().map(\.who) == ["USB stick, key SHA256:1"])
    }

    @Test("behaviour 5.7: twenty within ten minutes, then again after them")
    func howOften() async {
        let desk = StickDesk()
        func tell(at seconds: Int64) async -> Bool {
            let now = Instant(nanoseconds: 0) + .seconds(seconds)
            return await desk.answer(request(from: 0), at: now, events).error == nil
        }
        for second in 0..<20 { #expect(await tell(at: Int64(second))) }
        #expect(await events.latest().last?.what.contains("more within ten minutes") ?? false)
        #expect(await !tell(at: 599))
        #expect(await tell(at: 600))
    }
}
