import Base
import Linux
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Recorder
@testable import Settings

/// A router without a battery for its clock: what was recorded before the clock was set right.
@Suite struct ClockTests {
    /// When this boot began, by a clock that is right.
    private static let began: Int64 = 1_790_000_000_000
    private static let nextBoot = BootID(high: 7, low: 8)

    private func time(_ seconds: Int64, ahead: Int64) -> Timestamp {
        Timestamp(
            monotonic: .boot + .seconds(seconds),
            wall: WallTime(milliseconds: ahead + seconds * 1000))
    }

    private func right(_ seconds: Int64) -> WallTime {
        WallTime(milliseconds: Self.began + seconds * 1000)
    }

    /// Read `seconds` after boot, while the clock still was in 1970.
    private func early(_ seconds: Int64, bySource: Bool = false) -> Reading {
        Reading(
            source: "plc-1", tag: "n", value: .integer(seconds), time: time(seconds, ahead: 0),
            isTimedBySource: bySource)
    }

    @Test("behaviour 9.5: a kept clock is news once, and again when it is set otherwise")
    func news() {
        var clocks = ClockTable()
        #expect(clocks.corrected(time(5, ahead: 0), in: bootID) == nil)
        // A clock in 1970 may call itself kept.
        let isNews1 = clocks.kept(time(5, ahead: 0), in: bootID)
        #expect(!isNews1)
        let isNews2 = clocks.kept(time(5, ahead: Self.began), in: bootID)
        #expect(isNews2)
        let isNews3 = clocks.kept(time(900, ahead: Self.began + 400), in: bootID)
        #expect(!isNews3)
        #expect(clocks.corrected(time(2, ahead: 0), in: bootID) == right(2))
        #expect(clocks.corrected(time(2, ahead: Self.began + 900), in: bootID) == nil)
        #expect(clocks.corrected(time(2, ahead: Self.began + 1100), in: bootID) == right(2))
        // Years ahead, while nobody kept it.
        #expect(clocks.corrected(time(9, ahead: .max / 2), in: bootID) == right(9))
        #expect(clocks.corrected(time(2, ahead: 0), in: Self.nextBoot) == nil)
        let isNews4 = clocks.kept(time(1000, ahead: Self.began + 3000), in: bootID)
        #expect(isNews4)
        #expect(
            clocks.corrected(time(2, ahead: 0), in: bootID)
                == WallTime(milliseconds: Self.began + 5000))
    }

    @Test("the oldest of too many boots is forgotten")
    func bounded() {
        var clocks = ClockTable()
        for boot in 0...UInt64(Limits.bootsMax) {
            let isNews5 = clocks.kept(time(1, ahead: Self.began), in: BootID(high: boot, low: 0))
            #expect(isNews5)
        }
        #expect(clocks.entries.count == Limits.bootsMax)
        #expect(clocks.corrected(time(1, ahead: 0), in: BootID(high: 0, low: 0)) == nil)
        #expect(clocks.corrected(time(1, ahead: 0), in: BootID(high: 1, low: 0)) != nil)
        var notes = StoreNotes()
        notes.clocks = clocks
        #expect(StoreNotes(notes.encoded[...]) == notes)
    }

    @Test("4,000 changed notes: refused or read, never a crash")
    func nonsense() {
        var random = SeededGenerator(seed: 3)
        var notes = StoreNotes()
        for boot in 0..<9 {
            _ = notes.clocks.kept(
                time(1, ahead: Self.began), in: BootID(high: UInt64(boot), low: 1))
        }
        for _ in 0..<4000 {
            var bytes = notes.encoded
            bytes[.random(in: bytes.indices, using: &random)] = .random(in: 0...255, using: &random)
            bytes.removeLast(.random(in: 0..<4, using: &random))
            if let read = StoreNotes(bytes[...]) {
                #expect(read.clocks.entries.count <= Limits.bootsMax)
            }
        }
    }

    @Test(
        "behaviour 9.5: times of the same boot are corrected on the way out, also after a restart",
        arguments: [false, true])
    func corrected(sealed: Bool) throws {
        let disk = FakeDisk()
        var store = try store(disk)
        try store.append((1...50).map { early(Int64($0)) })
        if sealed { try store.seal() }
        try store.append([early(51, bySource: true)])
        try store.sync()
        let before = try store.all()
        #expect(before.allSatisfy { !$0.isTimeCorrected })
        let isNews6 = store.clockIsKept(time(60, ahead: Self.began))
        #expect(isNews6)
        try store.append([
            Reading(
                source: "plc-1", tag: "n", value: .integer(61),
                time: time(61, ahead: Self.began))
        ])
        try store.saveCursor()
        // The files still have what the clock showed: the next boot finds and corrects it.
        for boot in [bootID, Self.nextBoot] {
            var store = try opened(disk.copy(), boot)
            let records = try store.all()
            #expect(records.count == 52)
            for record in records.prefix(50) {
                #expect(record.isTimeCorrected)
                guard case .integer(let seconds) = record.reading.value else { continue }
                #expect(record.reading.time.wall == right(seconds))
            }
            #expect(records[50].reading == early(51, bySource: true))
            #expect(records[50...].allSatisfy { !$0.isTimeCorrected })
            // A question for the right time finds them, whatever the block's header says.
            let filter = RecordFilter(from: right(10), through: right(12))
            let found = try store.batch(after: 0, limit: 1000, filter: filter)
                .filter { filter.accepts($0.reading) }
            #expect(found.map(\.reading.value) == [.integer(10), .integer(11), .integer(12)])
        }
        // What was recorded in a boot whose clock was never kept stays as it is.
        var next = try opened(disk.copy(), Self.nextBoot)
        try next.append([early(1)])
        try next.sync()
        let last = try next.all().last
        #expect(last?.isTimeCorrected == false)
    }

    private func opened(_ disk: FakeDisk, _ boot: BootID) throws -> RingStore {
        try store(disk, boot: boot)
    }

    @Test(
        "behaviour 9.5: what journals turn over is still known; a loss record tells corrected times"
    )
    func losses() throws {
        let disk = FakeDisk()
        var store = try store(disk)
        try store.append([early(1)])
        let isNews7 = store.clockIsKept(time(60, ahead: Self.began))
        #expect(isNews7)
        try store.saveCursor()
        var number: Int64 = 1
        while store.lost == 0 {
            try store.append(
                (0..<50).map { _ in
                    number += 1
                    var reading = early(number)
                    reading.value = .string(String(repeating: "\(number) ", count: 300))
                    return reading
                })
            try store.sync()
        }
        var again = try opened(disk.copy(), Self.nextBoot)
        let told = try again.all()
        let loss = try #require(told.losses.first)
        #expect(loss.first == right(1).milliseconds)
        #expect(try #require(loss.last) > right(1).milliseconds)
        #expect(told.readings.allSatisfy { $0.time.wall > right(0) })
    }

    @Test("behaviour 9.5: the service asks each turn whether the clock is kept")
    func service() async throws {
        let isKept = Atomic(false)
        let wall = Mutex(WallTime(milliseconds: 5000))
        let clock = SystemClock()
        let service = try RecorderService(
            settings: Settings.Recorder(
                directory: "fake", size: ByteSize(bytes: 1 << 20), sync: .milliseconds(10)),
            directory: FakeDisk(), bootID: bootID, clock: clock, wall: { wall.withLock { $0 } },
            isClockKept: { isKept.load(ordering: .relaxed) },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let run = Task { try await service.run() }
        let read = Timestamp(monotonic: clock.now(), wall: WallTime(milliseconds: 5000))
        try await service.record([
            Reading(source: "plc-1", tag: "n", value: .bool(true), time: read)
        ])
        #expect(try await service.batch(after: 0, limit: 9).first?.isTimeCorrected == false)
        wall.withLock { $0 = WallTime(milliseconds: Self.began) }
        isKept.store(true, ordering: .relaxed)
        var record: Record?
        for _ in 0..<500 where !(record?.isTimeCorrected ?? false) {
            try await Task.sleep(for: .milliseconds(10))
            record = try await service.batch(after: 0, limit: 9).first
        }
        #expect(record?.isTimeCorrected == true)
        #expect(try #require(record).reading.time.wall <= WallTime(milliseconds: Self.began))
        run.cancel()
        try await run.value
    }

    @Test("a minus zero keeps its sign, from the frame, the block and the next start")
    func minusZero() throws {
        let disk = FakeDisk()
        var store = try store(disk)
        let values: [Double] = [-0.0, 0.0, -0.0, 1.5]
        let readings = values.map {
            Reading(source: "s", tag: "t", value: .double($0), time: reading(1).time)
        }
        let alone = [
            Reading(source: "s", tag: "alone", value: .double(-0.0), time: reading(1).time)
        ]
        func check(_ store: inout RingStore) throws {
            let bits: [UInt64] = try store.all().compactMap {
                if case .double(let value) = $0.reading.value { value.bitPattern } else { nil }
            }
            #expect(bits == (values + [-0.0]).map(\.bitPattern))
        }
        try store.append(readings + alone)
        try store.sync()
        try check(&store)
        var journal = try opened(disk.copy(), bootID)
        try check(&journal)
        try store.seal()
        try check(&store)
        var blocks = try opened(disk.copy(), bootID)
        try check(&blocks)
    }
}
