import Base
import Linux
import Synchronization
import TestSupport
import Testing

@testable import Recorder

/// Which files there are, and what each of them costs when somebody deletes it.
@Suite struct FilesTests {
    /// A store with two sealed blocks and something in its journal.
    private func fill(_ store: inout RingStore) throws {
        for n in 1...60 {
            try store.append([reading(n)], as: n % 10 == 0 ? .alarm : .sample)
            if n == 20 || n == 40 { try store.seal() }
        }
        try store.sync()
        store.acknowledge(through: 5)
        try store.saveCursor()
    }

    @Test(
        "behaviour 9.4: there are journals, segments and a lock, and no catalogue that could be lost"
    )
    func noCatalogue() throws {
        let folder = try TemporaryFolder()
        let before = try recorded(in: folder.path)
        var again = try RecorderTests.store(try DirectoryFiles(path: folder.path), quota: 2 << 20)
        #expect(try again.all() == before)
        #expect(again.cursor == 5)
        #expect(again.lost == 0)
        #expect(again.nextSequence == 61)
    }

    @Test(
        "behaviour 9.4: a journal that is gone costs what was only in it, and no id is given twice")
    func journal() throws {
        let disk = FakeDisk()
        var first = try store(disk)
        try fill(&first)
        let before = try first.all()
        for gone in [[first.journal.active], [1 - first.journal.active], [0, 1]] {
            let damaged = disk.copy()
            for file in gone { try damaged.remove(FileName.journals[file]) }
            var again = try store(damaged)
            let records = try again.all()
            let sealed = gone.contains(first.journal.active) ? 40 : 60
            #expect(records.readings == Array(before.readings.prefix(sealed)), "\(gone)")
            try again.append([reading(99)])
            try again.sync()
            let last = try again.all().last
            #expect(last?.reading == reading(99))
            #expect(last.map { $0.sequence > 60 } ?? false, "\(gone): an id that was given before")
        }
    }

    /// Records, and deletes everything that is neither journal nor segment.
    private func recorded(in path: String) throws -> [Record] {
        var store = try store(try DirectoryFiles(path: path), quota: 2 << 20)
        try fill(&store)
        let others = try store.directory.list().map(\.name)
            .filter { FileName.slot($0) == nil && !FileName.journals.contains($0) }
        #expect(others == [DirectoryFiles.lockName], "whatever else there is must be in this test")
        for name in others { try store.directory.remove(name) }
        let records = try store.all()
        #expect(records.count == 60)
        return records
    }

    @Test("what others put into the directory counts within the quota, and is left alone")
    func strangers() throws {
        let disk = FakeDisk()
        disk.set("catalogue.db", [UInt8](repeating: 1, count: 200_000))
        var store = try store(disk, quota: 2 << 20)
        try fill(&store)
        #expect(disk.state.withLock { $0.mostBytes } <= 2 << 20)
        #expect(disk.content("catalogue.db").count == 200_000)
    }
}
