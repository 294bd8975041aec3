import Base
import Logging
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

    private static let logger = Logger(label: "slot", factory: { _ in SwiftLogNoOpLogHandler() })
    private static let impatient = Backoff(shortest: .milliseconds(2), longest: .milliseconds(8))

    private func slot(_ diary: Diary) -> Slot<Int, String> {
        Slot("room", 1, "first", logger: Self.logger, remake: { "made \($0)" }) { name in
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

    private struct Broken: Error, CustomStringConvertible { let description = "port taken" }

    /// A room whose tenants fail until the third, and whose second cannot even be made.
    private func frail(_ diary: Diary, pauses: Backoff = Self.impatient) -> Slot<Int, Int> {
        let made = Mutex(1)
        return Slot(
            "egress", 1, 1, logger: Self.logger, pauses: pauses,
            remake: { _ in
                let number = made.withLock { count in
                    count += 1
                    return count
                }
                if number == 2 { throw Broken() }
                return number
            }
        ) { number in
            diary.note("\(number) begins")
            if number == 1 { throw Broken() }
            if number == 3 { return }
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(60)) }
        }
    }

    @Test("a tenant that fails, or ends by itself, is made anew until one lives; the place goes on")
    func failure() async throws {
        let diary = Diary()
        let slot = frail(diary)
        #expect(slot.failure == nil)
        try await withThrowingTaskGroup { group in
            group.addTask { try await slot.run() }
            try await diary.waitFor("4 begins")
            #expect(slot.failure?.description == "egress: ended by itself")
            group.cancelAll()
        }
        #expect(diary.all == ["1 begins", "3 begins", "4 begins"])
    }

    @Test("while one waits for its next attempt, another config's tenant moves in at once")
    func failureEndsWithTheNext() async throws {
        let diary = Diary()
        let slot = frail(diary, pauses: Backoff(shortest: .seconds(60), longest: .seconds(600)))
        try await withThrowingTaskGroup { group in
            group.addTask { try await slot.run() }
            while slot.failure == nil { try await Task.sleep(for: .milliseconds(1)) }
            // The pause is one: nobody is made, nor begins, before it is over.
            try await Task.sleep(for: .milliseconds(100))
            #expect(diary.all == ["1 begins"])
            #expect(slot.tenant == 1)
            await slot.move(2, 9)
            try await diary.waitFor("9 begins")
            #expect(slot.failure == nil)
            group.cancelAll()
        }
    }

    @Test("a room that waits for its next attempt ends with the house")
    func failureEnds() async throws {
        let slot = frail(Diary(), pauses: Backoff(shortest: .seconds(60), longest: .seconds(600)))
        try await withThrowingTaskGroup { group in
            group.addTask { try await slot.run() }
            while slot.failure == nil { try await Task.sleep(for: .milliseconds(1)) }
            group.cancelAll()
        }
    }
}
