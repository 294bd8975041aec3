import Base
import FoundationEssentials
import Glibc
import Linux
import TestSupport
import Testing

@testable import Recorder

/// Blocks that go to a server as they are, and what a folder of them says.
@Suite struct BlocksTests {
    /// A server's folder: a block has the same bytes under its name whenever it comes.
    private struct Server {
        var disk = FakeDisk()
        var names: [String] = []

        mutating func take(_ block: StoredBlock) throws {
            if names.contains(block.name) {
                let file = try disk.open(block.name, isReadOnly: true)
                #expect(try file.read(at: 0, count: block.bytes.count + 1) == block.bytes)
                return
            }
            names.append(block.name)
            try disk.create(block.name).write(block.bytes, at: 0)
        }

        func records() throws -> [Record] {
            guard !names.isEmpty else { return [] }
            var folder = try BlockFolder(disk)
            var records: [Record] = []
            while true {
                let batch = try folder.batch(
                    after: records.last?.sequence ?? 0, limit: 77, filter: nil)
                guard !batch.isEmpty else { return records }
                records += batch
            }
        }
    }

    private func filled(_ disk: FakeDisk, quota: Int64 = 4 << 20) throws -> RingStore {
        var store = try store(disk, quota: quota)
        try store.addCursor(Consumer.bulkName, at: 0)
        for n in 1...500 {
            let recordClass = RecordClass.allCases[n % 4]
            try store.append([reading(n), reading(n, source: "plc-2", pad: 3)], as: recordClass)
            if n % 120 == 0 { try store.seal() }
        }
        try store.sync()
        return store
    }

    @Test("behaviour 9.7: a folder of all blocks says what the store says, and the cursor follows")
    func all() throws {
        var store = try filled(FakeDisk())
        var server = Server()
        while let block = try store.nextBlock() {
            #expect(try store.nextBlock() == block, "until it is delivered it is the next one")
            try server.take(block)
            try store.blockDelivered(block)
        }
        #expect(server.names.count == 16)
        #expect(store.sequence(of: .bulk) == 960, "the rest is not sealed yet")
        #expect(try server.records() == store.all().filter { $0.sequence <= 960 })
        let verdict = try BlockFolder(server.disk).verify { _ in true }
        #expect(verdict.blocks == 16 && verdict.records == 960)
        #expect(verdict.damaged == 0 && verdict.unchained == 0)
        try store.seal()
        let block = try #require(try store.nextBlock())
        #expect(block.sequences.lowerBound > 960)
    }

    @Test("a filter passes over blocks; one that is missing or damaged is told")
    func folder() throws {
        var store = try filled(FakeDisk())
        var server = Server()
        while let block = try store.nextBlock() {
            try server.take(block)
            try store.blockDelivered(block)
        }
        var folder = try BlockFolder(server.disk)
        let filter = RecordFilter(source: "plc-2", from: WallTime(milliseconds: 1_700_000_000_400))
        let found = try folder.batch(after: 0, limit: 10_000, filter: filter)
            .filter { filter.accepts($0.reading) }
        #expect(found.count == 81)

        let samples = server.names.filter { $0.contains("-sample-") }.sorted()
        try server.disk.remove(samples[1])
        #expect(try BlockFolder(server.disk).verify { _ in true }.unchained == 1)
        let file = try server.disk.open(samples[2])
        try file.write([0xff, 0xff, 0xff], at: 300)
        var rest = try BlockFolder(server.disk)
        let left = try rest.batch(after: 0, limit: 10_000, filter: nil)
        #expect(rest.damaged == [samples[2]])
        #expect(left.count == 960 - 120, "two blocks of sixty")
        #expect(try rest.verify { _ in true }.damaged == 1)
    }

    @Test("every byte of a block changed, and every length cut: it is read as it was, or left out")
    func changed() throws {
        var store = try store(FakeDisk())
        try store.addCursor(Consumer.bulkName, at: 0)
        for n in 1...20 { try store.append([reading(n, pad: n % 3)]) }
        try store.seal()
        let block = try #require(try store.nextBlock())
        let wanted = try store.all()
        var leftOut = 0
        func read(_ bytes: [UInt8]) throws {
            let disk = FakeDisk()
            try disk.create(block.name).write(bytes, at: 0)
            guard var folder = try? BlockFolder(disk) else {
                leftOut += 1
                return
            }
            let found = try folder.batch(after: 0, limit: 100, filter: nil)
            #expect(found == wanted || found.isEmpty && folder.damaged == [block.name])
            if found.isEmpty { leftOut += 1 }
        }
        for place in block.bytes.indices {
            for change: UInt8 in [1, 0x80, 0xff] {
                var bytes = block.bytes
                bytes[place] ^= change
                try read(bytes)
            }
            try read(Array(block.bytes[..<place]))
        }
        // All but the zeros at the end of the header.
        #expect(leftOut == 4 * block.bytes.count - 3 * (256 - 174))
    }

    private struct Line: Decodable, Equatable {
        var id: UInt64
        var source: String
        var tag: String
        var time: Int64
        var good: Bool
    }

    @Test("the program that docs/blocks.md shows reads a block")
    func documented() async throws {
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let page = try SmallFile.readText(root + "/docs/blocks.md")
        let program = try #require(
            page.split(separator: "```python\n").last?.split(separator: "\n```").first)
        var random = SeededGenerator(seed: 8)
        var store = try store(FakeDisk(), quota: 4 << 20)
        try store.addCursor(Consumer.bulkName, at: 0)
        var wanted: [Reading] = []
        for n in 0..<700 {
            var one = randomReading(&random)
            // Of one type, of two decimals, and floats that are none.
            if n % 2 == 0 {
                one.tag = "steady.\(n % 3)"
                one.value =
                    [
                        .double(Double(n) / 100), .integer(Int64(n / 9)),
                        .double(.pi / Double(n + 1)),
                    ][n % 3]
            }
            one.time = reading(n).time
            wanted.append(one)
            try store.append([one])
        }
        try store.seal()
        let block = try #require(try store.nextBlock())
        let folder = try TemporaryFolder()
        let file = folder.path + "/" + block.name
        try FileDescriptor(open: file, flags: O_WRONLY | O_CREAT, mode: 0o600).writeAll(block.bytes)
        let result = try await Command.run(["/usr/bin/python3", "-c", String(program), file])
        #expect(result.exit == .status(0), "\(result.error)")
        let lines = result.output.split(separator: "\n")
        try #require(lines.count == wanted.count)
        for (index, line) in lines.enumerated() {
            let one = wanted[index]
            let told = try JSONDecoder().decode(Line.self, from: Data(line.utf8))
            let expected = Line(
                id: UInt64(index + 1), source: one.source, tag: one.tag,
                time: one.time.wall.milliseconds, good: one.quality == .good)
            #expect(told == expected)
            switch one.value {
            case .bool(let value): #expect(line.contains("\"value\": \(value),"), "\(line)")
            case .integer(let value): #expect(line.contains("\"value\": \(value),"), "\(line)")
            case .double(let value):
                let number = line.split(separator: "\"value\": ").last?.prefix { $0 != "," }
                #expect(number.flatMap { Double($0) } == value, "\(line)")
            case .string(let value):
                let said = try JSONDecoder().decode([String: Text].self, from: Data(line.utf8))
                #expect(said["value"]?.text == value, "\(line)")
            }
        }
    }

    /// A text; of other values nothing.
    private struct Text: Decodable {
        var text: String?

        init(from decoder: any Decoder) throws {
            text = try? decoder.singleValueContainer().decode(String.self)
        }
    }

    @Test("what is no block, and blocks of two stores")
    func foreign() throws {
        #expect(throws: SystemError.self) { try BlockFolder(FakeDisk()) }
        let disk = FakeDisk()
        try disk.create("a.block").write([1, 2, 3], at: 0)
        #expect(throws: SystemError.self) { try BlockFolder(disk) }
        var server = Server()
        for _ in 1...2 {
            var store = try filled(FakeDisk())
            try server.take(try #require(try store.nextBlock()))
        }
        #expect(throws: SystemError.self) { try BlockFolder(server.disk) }
    }

    @Test(
        "behaviour 9.7: restarts and lost answers: each block comes, as the same bytes",
        arguments: 1...5)
    func restarts(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var disk = FakeDisk()
        var store = try filled(disk)
        try store.seal()
        try store.sync()
        let all = try store.all()
        var server = Server()
        while let block = try store.nextBlock() {
            try server.take(block)
            // Its answer may not arrive.
            if Int.random(in: 0..<4, using: &random) > 0 { try store.blockDelivered(block) }
            if Int.random(in: 0..<5, using: &random) == 0 {
                try store.saveCursor()
                try store.sync()
                disk = disk.powerCut(&random)
                store = try RecorderTests.store(disk, quota: 4 << 20)
            }
        }
        #expect(try server.records().filter { $0.sequence <= 1000 } == all)
    }

    @Test(
        "behaviour 9.7: the ring goes around while the server is away now and then: delivered and told as lost are all",
        arguments: 1...5)
    func goesAround(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var store = try store(FakeDisk())
        try store.addCursor(Consumer.bulkName, at: 0)
        var server = Server()
        var written: [String: UInt64] = [:]
        for round in 0..<300 {
            let isAway = (round / 60) % 2 == 0
            for n in 0..<10 {
                var reading = noise(round * 10 + n, bytes: 700, &random)
                reading.tag = "t\(n % 7)"
                try store.append([reading], as: n == 3 ? .log : .sample)
                written["\(reading.source)/\(reading.tag)", default: 0] += 1
            }
            if round % 3 == 0 { try store.seal() }
            try store.sync()
            // One at a time, so that the ring is ahead of them.
            guard !isAway, let block = try store.nextBlock() else { continue }
            try server.take(block)
            try store.blockDelivered(block)
        }
        try store.seal()
        while let block = try store.nextBlock() {
            try server.take(block)
            try store.blockDelivered(block)
            if try store.nextBlock() == nil { try store.seal() }
            if (store.sequence(of: .bulk) ?? 0) == store.lastSequence { break }
        }
        var told: [String: UInt64] = [:]
        for record in try server.records() {
            let reading = record.reading
            if let loss = LossReport(reading, tag: Consumer.bulk.lossTag) {
                for (source, tags) in loss.tags {
                    for (tag, count) in tags { told["\(source)/\(tag)", default: 0] += count }
                }
            } else {
                told["\(reading.source)/\(reading.tag)", default: 0] += 1
            }
        }
        told = told.filter { !$0.key.hasPrefix(LossReport.source + "/") }
        #expect(told == written)
        #expect(store.lost(by: .bulk) > 0, "the ring did not go around")
    }

    @Test("the name is the service's own; without it nothing is told as lost to it")
    func name() throws {
        var store = try filled(FakeDisk())
        #expect(store.namedCursors.map(\.name) == [Consumer.bulkName])
        store.forgetBlocks()
        #expect(store.namedCursors.isEmpty)
        #expect(try store.nextBlock() == nil)
    }
}
