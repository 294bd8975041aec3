import Synchronization
import Testing

@testable import drawbridge

@Suite("A place in the house", .timeLimit(.minutes(1)))
struct SlotTests {
    /// What tenants did, in order.
    private final class Diary: Sendable {
        private let entries = Mutex<[String]>([])
        var all: [String] { entries.withLock { $0 } }
        func note(_ text: String) { entries.withLock { $0.append(text) } }

        func waitFor(_ text: String) async throws {
            while !all.contains(text) { try await Task.sleep(for: .milliseconds(1)) }
        }
    }

    private func slot(_ diary: Diary) -> Slot<Int, String> {
        Slot("room", 1, "first") { name in
            diary.note("\(name) begins")
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(60)) }
            diary.note("\(name) ends")
        }
    }

    @Test("the next tenant begins after the end of the one before")
    func moves() async throws {
        let diary = Diary()
        let slot = slot(diary)
        try await withThrowingTaskGroup { group in
            group.addTask { try await slot.run() }
            try await diary.waitFor("first begins")
            await slot.move(2, "second")
            #expect(diary.all.contains("first ends"))
            #expect(slot.part == 2 && slot.tenant == "second")
            try await diary.waitFor("second begins")
            group.cancelAll()
        }
        #expect(diary.all == ["first begins", "first ends", "second begins", "second ends"])
    }

    @Test("a tenant that moved in before the place was opened is the one that begins")
    func movesEarly() async throws {
        let diary = Diary()
        let slot = slot(diary)
        await slot.move(2, "second")
        try await withThrowingTaskGroup { group in
            group.addTask { try await slot.run() }
            try await diary.waitFor("second begins")
            group.cancelAll()
        }
        #expect(diary.all == ["second begins", "second ends"])
    }

    @Test("a tenant that ends by itself, or fails, is a failure with the room's name")
    func failure() async {
        let ended = Slot("egress", 1, 1) { _ in }
        await #expect(throws: RoomFailure.self) { try await ended.run() }
    }
}
