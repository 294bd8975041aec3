import Base
import Linux
import Recorder
import Synchronization
import TestSupport
import Testing

/// What the store does when the disk is full, fails or has been damaged.
@Suite struct TroubleTests {
    private func filled(_ frames: Int, pad: Int = 20) throws -> FakeDisk {
        let disk = FakeDisk()
        var store = try store(disk)
        for n in 1...frames { try store.append([reading(n, pad: pad)]) }
        try store.sync()
        return disk
    }

    @Test("a tail torn at any byte of the last frame costs that frame only")
    func tornTail() throws {
        let disk = try filled(3)
        let name = disk.segmentNames[0]
        let whole = disk.content(name)
        let shorter = try filled(2)
        let start = shorter.content(shorter.segmentNames[0]).count
        for cut in start..<whole.count {
            for isZeroFilled in [false, true] {
                let torn = disk.copy()
                let zeros = [UInt8](repeating: 0, count: isZeroFilled ? whole.count - cut : 0)
                let content = Array(whole[..<cut]) + zeros
                guard content != whole else { continue }
                torn.set(name, content)
                var store = try store(torn)
                #expect(store.tornBytes == Int64((isZeroFilled ? whole.count : cut) - start))
                try store.append([reading(33)])
                try store.sync()
                let records = try store.all()
                #expect(records.map(\.sequence) == [1, 2, 3])
                #expect(records.last?.reading == reading(33))
            }
        }
    }

    @Test("a flipped bit anywhere costs one frame, and the gap is told")
    func bitFlips() throws {
        let disk = try filled(20)
        let name = disk.segmentNames[0]
        let whole = disk.content(name)
        var random = SeededGenerator(seed: 5)
        for place in 0..<whole.count {
            let damaged = disk.copy()
            var content = whole
            content[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            damaged.set(name, content)
            var store = try store(damaged)
            try store.append([reading(99)])
            try store.sync()
            var records = try store.all()
            try store.writePendingLoss()
            try store.sync()
            records += try store.all(after: records.last?.sequence ?? 0)
            let kept = records.readings.filter { $0 != reading(99) }
            #expect(kept.count >= 19, "byte \(place)")
            #expect(kept.allSatisfy { (1...20).map { reading($0, pad: 20) }.contains($0) })
            #expect(records.readings.last == reading(99))
            if kept.count == 19, store.tornBytes == 0 {
                #expect(records.losses.map(\.count) == [1], "byte \(place)")
                #expect(records.losses.map(\.reason) == ["damaged on flash"])
                #expect(store.damagedFrames > 0)
            }
        }
    }

    @Test("a segment that is lost as a whole costs what was in it, and that is told")
    func lostSegment() throws {
        let disk = try filled(700, pad: 1000)
        let names = disk.segmentNames
        #expect(names.count > 4)
        disk.set(names[2], [UInt8](repeating: 0, count: disk.content(names[2]).count))
        var store = try store(disk)
        let records = try store.all()
        try store.writePendingLoss()
        try store.sync()
        let later = try store.all(after: 700)
        let loss = try #require(later.losses.first)
        #expect(UInt64(records.count) + loss.count == 700)
        #expect(store.lost == loss.count)
        #expect(loss.count == (loss.through ?? 0) - (loss.from ?? 0) + 1)
    }

    @Test("a damaged cursor file means: from the oldest; a good one is kept")
    func cursor() throws {
        let disk = FakeDisk()
        var store = try store(disk)
        try store.append((1...10).map { reading($0) })
        try store.sync()
        store.acknowledge(through: 6)
        store.acknowledge(through: 4)
        store.acknowledge(through: 6)
        try store.saveCursor()
        #expect(try RecorderTests.store(disk).cursor == 6)
        let content = disk.content("cursor")
        for place in content.indices {
            let damaged = disk.copy()
            var bytes = content
            bytes[place] ^= 0x10
            damaged.set("cursor", bytes)
            let reopened = try RecorderTests.store(damaged)
            #expect(reopened.cursor == 0)
            #expect(reopened.cursorWasDamaged)
        }
        let emptied = disk.copy()
        emptied.set("cursor", [])
        #expect(try RecorderTests.store(emptied).cursor == 0)
    }

    @Test("sequences go on after all segments are gone")
    func emptied() throws {
        let disk = FakeDisk()
        var store = try store(disk)
        try store.append((1...10).map { reading($0) })
        try store.sync()
        store.acknowledge(through: 10)
        try store.saveCursor()
        for name in disk.segmentNames { try disk.remove(name) }
        store = try RecorderTests.store(disk)
        try store.append([reading(11)])
        try store.sync()
        #expect(try store.all(after: 10).map(\.sequence) == [11])
    }

    @Test(
        "a full disk: the oldest is given up, then readings are counted, and told once it has room")
    func diskFull() throws {
        let disk = try filled(300, pad: 1000)
        var store = try store(disk)
        let segments = store.ring.segments.count
        // Another program has taken the rest.
        disk.state.withLock { $0.capacity = $0.total }
        try store.append([reading(301, pad: 1000)])
        #expect(store.ring.segments.count == segments - 1)
        #expect(store.lost > 0)
        #expect(store.trouble == nil)

        disk.state.withLock { $0.capacity = 0 }
        let before = store.lost
        #expect(throws: SystemError.self) { try store.append([reading(302), reading(303)]) }
        #expect(store.trouble == "disk full")
        #expect(throws: SystemError.self) { try store.append([reading(304)]) }
        #expect(store.ring.segments.count == 1)
        #expect(throws: SystemError.self) { try store.writePendingLoss() }

        disk.state.withLock { $0.capacity = .max }
        try store.writePendingLoss()
        #expect(store.trouble == nil)
        try store.append([reading(305)])
        try store.sync()
        let records = try store.all()
        #expect(records.readings.last == reading(305))
        #expect(records.readings.allSatisfy { ![302, 303, 304].map { reading($0) }.contains($0) })
        let loss = try #require(records.losses.last)
        #expect(loss.reason.contains("disk full"))
        #expect(store.lost >= before + 3)
        #expect(loss.total == store.lost)
        // Every sequence is there or told.
        let told = records.losses.reduce(into: Set(records.map(\.sequence))) {
            if let from = $1.from, let through = $1.through { $0.formUnion(from...through) }
        }
        #expect(told == Set(1...store.ring.lastSequence))
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

    @Test("files of others are counted; too many of them are an error that says so")
    func foreign() throws {
        let disk = FakeDisk()
        disk.set("backup.tar", [UInt8](repeating: 1, count: 200_000))
        var store = try store(disk)
        for n in 0..<2000 { try store.append([reading(n, pad: 1000)]) }
        #expect(disk.state.withLock { $0.mostBytes } <= 1 << 20)
        disk.set("backup.tar", [UInt8](repeating: 1, count: 900_000))
        #expect {
            try RecorderTests.store(disk)
        } throws: { error in
            "\(error)".contains("other files there take the room")
        }
    }
}
