import Base
import Glibc
import Linux
import Synchronization
import TestSupport
import Testing

@testable import Recorder

/// What the store does when the disk is damaged, full, or fails.
@Suite struct DamageTests {
    /// A small store with two blocks of samples, one of alarms, and a journal with three frames.
    private func small() throws -> (disk: FakeDisk, readings: [Reading]) {
        let disk = FakeDisk()
        var store = try store(disk)
        var readings: [Reading] = []
        for n in 1...60 {
            let reading = reading(n, source: n % 2 == 0 ? "plc-1" : "plc-2")
            readings.append(reading)
            try store.append([reading], as: n % 10 == 0 ? .alarm : .sample)
            if n == 20 || n == 40 { try store.seal() }
            if n > 40, n % 7 == 0 { try store.sync() }
        }
        try store.sync()
        return (disk, readings)
    }

    @Test("every byte flipped, one at a time: at most its block is lost, and that is told")
    func flips() throws {
        let (disk, readings) = try small()
        // The whole of it is the benchmark's; here one byte of some.
        let step = getenv("DRAWBRIDGE_ALL_BYTES") == nil ? 23 : 1
        var flipped = 0
        var costly = 0
        for name in disk.segmentNames + FileName.journals {
            let whole = disk.content(name)
            for page in stride(from: 0, to: whole.count, by: 4096) {
                let isEmpty = whole[page..<min(page + 4096, whole.count)].allSatisfy { $0 == 0 }
                for place in stride(from: page, to: min(page + 4096, whole.count), by: step) {
                    // Of pages that were never written, one byte says as much as all.
                    if isEmpty, place > page { break }
                    let damaged = disk.copy()
                    var bytes = whole
                    bytes[place] ^= 1 << UInt8(place % 8)
                    damaged.set(name, bytes)
                    costly += try lossOf(damaged, readings, "\(name) byte \(place)") > 0 ? 1 : 0
                    flipped += 1
                }
            }
        }
        print("bytes flipped: \(flipped), with a loss: \(costly)")
        #expect(costly > 10)
    }

    /// What cannot be read after this damage; checks that it is told exactly, once.
    private func lossOf(_ disk: FakeDisk, _ readings: [Reading], _ place: String) throws -> Int {
        var store = try store(disk)
        _ = try store.all()
        try store.append([reading(99)])
        try store.sync()
        let records = try store.all()
        let kept = records.readings
        #expect(kept.last == reading(99), "\(place)")
        #expect(Set(kept).isSubset(of: readings + [reading(99)]), "\(place)")
        let missing = readings.count + 1 - kept.count
        let told = records.losses.reduce(0) { $0 + $1.count }
        #expect(told == UInt64(missing), "\(place): \(records.losses)")
        #expect(missing <= 20, "\(place): more than a block")
        #expect(store.lost == told, "\(place)")
        // After a restart it is not told again.
        var again = try RecorderTests.store(disk)
        #expect(try again.all().losses.count == records.losses.count, "\(place)")
        try again.sync()
        #expect(again.lost == told, "\(place)")
        return missing
    }

    @Test("a segment that is lost as a whole costs what was in it, and that is told")
    func lostSegment() throws {
        var random = SeededGenerator(seed: 2)
        let disk = FakeDisk()
        var store = try store(disk, quota: 2 << 20)
        for n in 1...300 { try store.append([noise(n, bytes: 3000, &random)]) }
        try store.sync()
        let names = disk.segmentNames.filter { disk.content($0).contains { $0 != 0 } }
        #expect(names.count > 3)
        disk.set(names[1], [UInt8](repeating: 0, count: disk.content(names[1]).count))
        store = try RecorderTests.store(disk, quota: 2 << 20)
        _ = try store.all()
        try store.sync()
        let records = try store.all()
        #expect(UInt64(records.readings.count) + store.lost == 300)
        #expect(records.losses.reduce(0) { $0 + $1.count } == store.lost)
        #expect(store.lost > 0)
    }

    @Test("a file cut short at any page: what is behind the cut is told as lost")
    func truncated() throws {
        let (disk, readings) = try small()
        for name in disk.segmentNames + FileName.journals {
            for length in [0, 100, 4096, 8192, 20_000] {
                let damaged = disk.copy()
                damaged.set(name, Array(disk.content(name).prefix(length)))
                var store = try store(damaged)
                _ = try store.all()
                try store.sync()
                let records = try store.all()
                #expect(records.readings.count + Int(store.lost) >= readings.count - 20)
                try store.append([reading(99)])
                try store.sync()
                #expect(try store.all().readings.last == reading(99))
            }
        }
    }

    @Test("a sync that fails is not believed when it succeeds the next time")
    func failedSync() throws {
        let disk = FakeDisk()
        var store = try store(disk)
        try store.append([reading(1)])
        try store.sync()
        try store.append([reading(2)])
        disk.state.withLock { $0.syncsToFail = 1 }
        #expect(throws: SystemError.self) { try store.sync() }
        #expect(store.durableThrough == 1)
        #expect(store.trouble == "cannot sync: Input/output error")
        #expect(try store.all().count == 2, "with a dying flash the cloud is the safer place")
        try store.append([reading(3)])
        try store.sync()
        #expect(store.trouble == nil)
        var random = SeededGenerator(seed: 1)
        var after = try RecorderTests.store(disk.powerCut(&random))
        #expect(try after.all().map(\.sequence) == [1, 2, 3])
    }

    @Test("a flash that refuses everything: recorded and delivered from memory, kept once it works")
    func allBroken() throws {
        let disk = FakeDisk()
        var store = try store(disk)
        try store.append([reading(1)])
        try store.sync()
        disk.state.withLock { $0.broken = Set($0.names.keys) }
        for n in 2...50 {
            try store.append([reading(n)])
            #expect(throws: SystemError.self) { try store.sync() }
        }
        #expect(store.trouble != nil)
        #expect(try store.all().readings.count == 50)
        disk.state.withLock { $0.broken = [] }
        try store.sync()
        #expect(store.trouble == nil)
        var again = try RecorderTests.store(disk)
        #expect(try again.all().readings == (1...50).map { reading($0) })
        #expect(again.lost == 0)
    }

    @Test("one segment that fails to be written or read: another one is taken")
    func brokenSegment() throws {
        var random = SeededGenerator(seed: 4)
        let disk = FakeDisk()
        var store = try store(disk, quota: 2 << 20)
        disk.state.withLock { $0.broken = [FileName.segment(1)] }
        var refused = 0
        for n in 1...200 {
            try store.append([noise(n, bytes: 3000, &random)])
            do { try store.sync() } catch { refused += 1 }
        }
        try store.sync()
        #expect(refused < 5)
        #expect(store.trouble == nil)
        #expect(try store.all().readings.count == 200)
        var again = try RecorderTests.store(disk, quota: 2 << 20)
        #expect(try again.all().readings.count == 200)
    }

    @Test("files of others are counted; too many of them, or another store, are errors that say so")
    func foreign() throws {
        let disk = FakeDisk()
        disk.set("backup.tar", [UInt8](repeating: 1, count: 200_000))
        _ = try store(disk, quota: 2 << 20)
        #expect(disk.state.withLock { $0.mostBytes } <= 2 << 20)
        let full = FakeDisk()
        full.set("backup.tar", [UInt8](repeating: 1, count: 900_000))
        #expect {
            try store(full)
        } throws: { error in
            "\(error)".contains("other files there take the room")
        }
        let (first, _) = try small()
        let (second, _) = try small()
        first.set("journal-1", second.content("journal-1"))
        #expect {
            try store(first)
        } throws: { error in
            "\(error)".contains("files of two stores lie in it")
        }
        let old = FakeDisk()
        old.set("00000000000000000001.ring", [1, 2, 3])
        #expect {
            try store(old)
        } throws: { error in
            "\(error)".contains("is no file of this store")
        }
        #expect(old.content("00000000000000000001.ring") == [1, 2, 3])
    }

    @Test("a disk that is filled by somebody else: the ring has its room already")
    func diskFull() throws {
        var random = SeededGenerator(seed: 6)
        let disk = FakeDisk()
        var store = try store(disk)
        disk.state.withLock { $0.capacity = $0.total }
        for n in 1...600 { try store.append([noise(n, bytes: 3000, &random)]) }
        try store.sync()
        #expect(store.trouble == nil)
        #expect(store.lost > 0)
        let full = FakeDisk()
        full.state.withLock { $0.capacity = 700_000 }
        #expect {
            try RecorderTests.store(full)
        } throws: { error in
            "\(error)".hasSuffix("No space left on device")
        }
    }
}
