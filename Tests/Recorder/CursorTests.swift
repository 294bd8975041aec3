import Base
import Linux
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Recorder
@testable import Settings

/// Consumers besides the cloud, each with its own place and its own losses.
@Suite struct CursorTests {
    /// What a consumer was given, and what it was told that it lost.
    private struct Account {
        var consumer: Consumer
        var given: [Record] = []

        /// Checks that both together are what was written, of each tag, exactly.
        func expectExact(_ written: [String: UInt64], lost: UInt64) {
            var told: [String: UInt64] = [:]
            var count: UInt64 = 0
            for record in given {
                let reading = record.reading
                if let loss = LossReport(reading, tag: consumer.lossTag) {
                    count += loss.count
                    for (source, tags) in loss.tags {
                        for (tag, count) in tags { told["\(source)/\(tag)", default: 0] += count }
                    }
                } else {
                    told["\(reading.source)/\(reading.tag)", default: 0] += 1
                }
            }
            // What the store tells is none of what was written.
            told = told.filter { !$0.key.hasPrefix(LossReport.source + "/") }
            #expect(told == written, "\(consumer)")
            let isInOrder = zip(given, given.dropFirst()).allSatisfy { $0.sequence < $1.sequence }
            #expect(isInOrder, "\(consumer)")
            #expect(count == lost, "\(consumer)")
        }
    }

    @Test(
        "behaviour 9.6: the ring goes around; what each of four consumers got and lost is all there was",
        arguments: 1...3)
    func exact(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var disk = FakeDisk()
        var store = try store(disk)
        // The cloud never reads; one reads at once, one now and then, one only at the end.
        var accounts = ["quick", "slow", "dead"].map { Account(consumer: .reader($0)) }
        for account in accounts {
            guard case .reader(let name) = account.consumer else { continue }
            try store.addCursor(name, at: 0)
        }
        var written: [String: UInt64] = [:]
        for round in 0..<200 {
            let readings = (0..<20).map { n in
                var reading = noise(round * 20 + n, bytes: 700, &random)
                reading.tag = "t\(n % 7)"
                return reading
            }
            for reading in readings { written["\(reading.source)/\(reading.tag)", default: 0] += 1 }
            try store.append(readings, as: round % 9 == 0 ? .log : .sample)
            try store.sync()
            try read(&store, &accounts[0], limit: 1000)
            if Int.random(in: 0..<30, using: &random) == 0 {
                try read(&store, &accounts[1], limit: .random(in: 1...400, using: &random))
            }
            if Int.random(in: 0..<60, using: &random) == 0 {
                // What a place that was not noted yet has passed is given again.
                try store.saveCursor()
                disk = disk.powerCut(&random)
                store = try RecorderTests.store(disk)
                for index in accounts.indices {
                    let place = try #require(store.sequence(of: accounts[index].consumer))
                    accounts[index].given.removeAll { $0.sequence > place }
                }
            }
        }
        accounts.append(Account(consumer: .cloud))
        for index in accounts.indices {
            while try read(&store, &accounts[index], limit: 1000) > 0 { try store.sync() }
            accounts[index].expectExact(written, lost: store.lost(by: accounts[index].consumer))
        }
        #expect(store.lost(by: .reader("quick")) == 0)
        #expect(store.lost(by: .reader("dead")) > 1000)
        #expect(store.lost > 1000)
        #expect(disk.state.withLock { $0.mostBytes } <= 1 << 20)
    }

    @discardableResult
    private func read(_ store: inout RingStore, _ account: inout Account, limit: Int) throws -> Int
    {
        let after = try #require(store.sequence(of: account.consumer))
        let records = try store.batch(after: after, limit: limit)
        account.given += records
        store.acknowledge(through: records.last?.sequence ?? after, by: account.consumer)
        return records.count
    }

    @Test("behaviour 9.6: cursors survive a restart, are few, and are well named")
    func kept() throws {
        let disk = FakeDisk()
        var store = try store(disk)
        try store.append((1...9).map { reading($0) })
        try store.sync()
        try store.addCursor("mes", at: 0)
        store.acknowledge(through: 4, by: .reader("mes"))
        try store.addCursor("mes", at: 9)
        for number in 1..<Limits.cursorsMax { try store.addCursor("r\(number)", at: 99) }
        #expect(throws: CursorRefusal.tooMany) { try store.addCursor("one-more", at: 0) }
        for name in ["", "a b", "a/b", "é", String(repeating: "x", count: 64)] {
            #expect(throws: CursorRefusal.badName, "\(name)") { try store.addCursor(name, at: 0) }
        }
        try store.saveCursor()
        var again = try RecorderTests.store(disk.copy())
        #expect(again.namedCursors == store.namedCursors)
        #expect(again.sequence(of: .reader("mes")) == 4)
        #expect(again.sequence(of: .reader("r1")) == 9)
        #expect(again.cursor == 0)
        let isGone = again.removeCursor("mes")
        let isGoneAgain = again.removeCursor("mes")
        #expect(isGone && !isGoneAgain)
        try again.saveCursor()
        again = try RecorderTests.store(disk.copy())
        var notes = StoreNotes()
        notes.cursors = store.namedCursors
        #expect(StoreNotes(notes.encoded[...]) == notes)
        #expect(StoreNotes(notes.encoded.dropLast()) == nil)
    }

    @Test("behaviour 9.6: what is too large or damaged is told to each who has not read past it")
    func damaged() throws {
        let disk = FakeDisk()
        do {
            var store = try store(disk)
            try store.addCursor("behind", at: 0)
            try store.addCursor("ahead", at: 0)
            try store.append((1...20).map { reading($0) })
            try store.seal()
            store.acknowledge(through: 20, by: .reader("ahead"))
            store.acknowledge(through: 5, by: .reader("behind"))
            try store.saveCursor()
        }
        for name in disk.segmentNames {
            var bytes = disk.content(name)
            guard BlockHeader(bytes[4096...]) != nil else { continue }
            bytes[4096 + 256 + 40] ^= 1
            disk.set(name, bytes)
        }
        var store = try store(disk)
        _ = try store.all()
        try store.append([reading(1, pad: 70_000)])
        try store.sync()
        #expect(store.lost == 21)
        #expect(store.lost(by: .reader("behind")) == 16)
        #expect(store.lost(by: .reader("ahead")) == 1)
        let tags = try store.all().map(\.reading.tag).sorted()
        #expect(
            tags == ["recorder.loss", "recorder.loss/ahead", "recorder.loss/behind"])
    }

    @Test("behaviour 9.6: a reader is told again until it says that it has them")
    func service() async throws {
        let service = try RecorderService(
            settings: Settings.Recorder(
                directory: "fake", size: ByteSize(bytes: 1 << 20), sync: .milliseconds(10)),
            directory: FakeDisk(), bootID: bootID, clock: SystemClock(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let run = Task { try await service.run() }
        try await service.record((1...5).map { reading($0) })
        func read(_ name: String, _ acknowledged: UInt64?, _ start: CursorStart = .oldest)
            async throws -> [UInt64]
        {
            try await service.read(as: name, acknowledged: acknowledged, from: start, limit: 3)
                .map(\.sequence)
        }
        #expect(try await read("mes", nil) == [1, 2, 3])
        #expect(try await read("mes", nil) == [1, 2, 3])
        #expect(try await read("mes", 3) == [4, 5])
        #expect(try await read("late", nil, .now) == [])
        try await service.record([reading(6)])
        #expect(try await read("late", nil, .now) == [6])
        #expect(try await read("mes", 99) == [])
        #expect(
            await service.status().cursors == [
                NamedCursor(name: "mes", sequence: 6), NamedCursor(name: "late", sequence: 5),
            ])
        #expect(try await service.forgetCursor("late"))
        await #expect(throws: CursorRefusal.badName) { try await read("a b", nil) }
        await #expect(throws: CursorRefusal.reserved) { try await read("bulk", nil) }
        await #expect(throws: CursorRefusal.reserved) { try await service.forgetCursor("bulk") }
        run.cancel()
        try await run.value
    }
}
