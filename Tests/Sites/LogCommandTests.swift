import Base
import FoundationEssentials
import Glibc
import Linux
import Recorder
import TestSupport
import Testing

@testable import Site

/// `drawbridge log` on a store, while it is being written and when it is dead.
@Suite("drawbridge log", .serialized, .timeLimit(.minutes(2)))
struct LogCommandTests {
    private let folder: TemporaryFolder
    private let directory: String

    init() throws {
        folder = try TemporaryFolder()
        directory = folder.path + "/recorder"
    }

    private func log(_ arguments: String...) async throws -> Command.Result {
        let daemon = try Programs.besideThisExecutable().daemon
        return try await Command.run(
            [daemon, "log"] + arguments + ["--directory", directory], timeout: .seconds(30))
    }

    private func store() throws -> RingStore {
        try RingStore(
            try DirectoryFiles(path: directory), quota: ByteSize(bytes: 2 << 20),
            bootID: BootID(high: 1, low: 2), now: { SystemClock().timestamp() })
    }

    private static let awkward = "a \"quoted\", comma\nand a line feed \u{1}"

    private func reading(_ n: Int) -> Reading {
        let value: TagValue =
            switch n % 5 {
            case 0: .bool(n % 2 == 0)
            case 1: .integer(Int64(n))
            case 2: .double(Double(n) / 10)
            case 3: .double(.nan)
            default: .string(Self.awkward)
            }
        return Reading(
            source: n % 2 == 0 ? "plc-1" : "plc-2", tag: "t\(n % 5)", value: value,
            quality: n % 7 == 0 ? .bad : .good,
            time: Timestamp(
                monotonic: Instant(nanoseconds: Int64(n)),
                wall: WallTime(milliseconds: 1_790_000_000_000 + Int64(n) * 1000)))
    }

    /// A hundred records, the first fifty sealed.
    private func fill(_ store: inout RingStore) throws {
        for n in 1...100 {
            try store.append([reading(n)])
            if n == 50 { try store.seal() }
        }
        try store.sync()
    }

    private struct Line: Decodable {
        var sequence: UInt64
        var time: String
        var source: String
        var tag: String
        var good: Bool
    }

    private func lines(_ text: String) -> [Substring] {
        text.split(separator: "\n", omittingEmptySubsequences: true)
    }

    @Test("export and query: each record once, in order, in forms that others read")
    func export() async throws {
        var store = try store()
        try fill(&store)
        // The daemon has it open meanwhile.
        let json = try await log("export", "--format", "jsonl")
        #expect(json.exit == .status(0), "\(json.error)")
        let objects = try lines(json.output).map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8))
        }
        #expect(objects.map(\.sequence) == Array(1...100))
        #expect(objects.map(\.source) == (1...100).map { reading($0).source })
        #expect(objects[6].good == false)
        #expect(objects[0].time.hasSuffix(":21.000Z"), "\(objects[0].time)")
        #expect(json.output.contains(#""value":"nan""#))

        let csv = try await log("export", "--format", "csv")
        let rows = Self.rows(csv.output)
        #expect(rows.count == 101)
        #expect(
            rows[0] == [
                "sequence", "time", "source", "tag", "value", "good", "timeCorrected",
            ])
        #expect(rows.allSatisfy { $0.count == 7 })
        #expect(rows[4][4] == Self.awkward)
        #expect(rows.dropFirst().map { $0[0] } == (1...100).map { "\($0)" })

        let one = try await log(
            "query", "--tag", "t1", "--source", "plc-2", "--json", "--from", objects[20].time,
            "--to", objects[60].time)
        #expect(one.exit == .status(0), "\(one.error)")
        let found = try lines(one.output).map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8)).sequence
        }
        #expect(found == (21...61).filter { $0 % 5 == 1 && $0 % 2 == 1 })

        let tail = try await log("tail", "-n", "3")
        #expect(tail.output.contains("plc-1/t0"))
        let stats = try await log("stats")
        #expect(stats.output.contains("records 1 to 100"))
        #expect(try store.batch(after: 0, limit: 1000).count == 100, "it was only looked at")
    }

    /// Comma-separated values as RFC 4180 has them.
    private static func rows(_ text: String) -> [[String]] {
        var rows: [[String]] = [[]]
        var cell = ""
        var isQuoted = false
        var scalars = Array(text.unicodeScalars)[...]
        while let next = scalars.popFirst() {
            switch next {
            case "\"" where isQuoted && scalars.first == "\"":
                cell.append("\"")
                scalars.removeFirst()
            case "\"": isQuoted.toggle()
            case "," where !isQuoted:
                rows[rows.count - 1].append(cell)
                cell = ""
            case "\n" where !isQuoted:
                rows[rows.count - 1].append(cell)
                cell = ""
                rows.append([])
            default: cell.unicodeScalars.append(next)
            }
        }
        return rows.dropLast()
    }

    @Test("verify finds a damaged block, repair tells what it cost, and wants the daemon stopped")
    func repair() async throws {
        try await repair(of: try await damaged())
        let sound = try await log("query", "--source", "drawbridge", "--json")
        #expect(lines(sound.output).count == 1, "a loss record: \(sound.output)")
        #expect(sound.output.contains("recorder.loss"))
        let again = try await log("repair")
        #expect(again.output.contains(" 0 records newly told as lost"), "\(again.output)")
    }

    /// Flips a byte in the first block; nobody has the store open afterwards.
    private func damaged() async throws -> Int {
        try await whileOpen()
        let names = try DirectoryFiles(readOnly: directory).list().map(\.name)
        var flipped = 0
        for name in names where name.hasSuffix(".segment") {
            let file = try DirectoryFiles(readOnly: directory).open(name, isReadOnly: false)
            let bytes = try file.read(at: 4096 + 300, count: 1)
            guard try file.read(at: 4096, count: 8) == Array("DRWBBLK3".utf8) else { continue }
            try file.write([bytes[0] ^ 4], at: 4096 + 300)
            flipped += 1
        }
        return flipped
    }

    private func whileOpen() async throws {
        var store = try store()
        try fill(&store)
        let whole = try await log("verify")
        #expect(whole.exit == .status(0), "\(whole.output)")
        #expect(whole.output.contains("0 damaged, 0 out of their chain"))
        let refused = try await log("repair")
        #expect(refused.exit == .status(1))
        #expect(refused.error.contains("another daemon records"), "\(refused.error)")
        #expect(store.lost == 0)
    }

    private func repair(of blocks: Int) async throws {
        #expect(blocks == 1)
        let bad = try await log("verify")
        #expect(bad.exit == .status(1))
        #expect(bad.output.contains(" 1 damaged"), "\(bad.output)")
        let repair = try await log("repair")
        #expect(repair.exit == .status(0), "\(repair.error)")
        #expect(
            repair.output.contains("1 damaged places, 50 records newly told as lost"),
            "\(repair.output)")
    }

    @Test("behaviour 9.5: a clock that was set right later: query and export tell the right times")
    func corrected() async throws {
        var store = try store()
        let wrong = Reading(
            source: "plc-1", tag: "t", value: .double(-0.0),
            time: Timestamp(monotonic: .boot + .seconds(5), wall: WallTime(milliseconds: 5000)))
        try store.append([wrong])
        try store.sync()
        let before = try await log("query", "--json")
        #expect(before.output.contains("1970-01-01T00:00:05.000Z"), "\(before.output)")
        #expect(!before.output.contains("timeCorrected"))
        let began = WallTime(milliseconds: 1_790_000_000_000)
        let isNews = store.clockIsKept(Timestamp(monotonic: .boot, wall: began))
        #expect(isNews)
        try store.saveCursor()
        let after = try await log("query", "--json", "--from", "2026-09-21")
        #expect(
            after.output
                == #"{"sequence":1,"time":"2026-09-21T14:13:25.000Z","source":"plc-1","#
                + #""tag":"t","value":-0.0,"good":true,"timeCorrected":true}"# + "\n")
        let csv = try await log("export", "--to", "2026-09-20")
        #expect(lines(csv.output).count == 1, "none is as old as its clock said: \(csv.output)")
    }

    @Test("a place without a store, a wrong time: said, with exit 1 or 2")
    func mistakes() async throws {
        let nothing = try await log("stats")
        #expect(nothing.exit == .status(1))
        #expect(nothing.error.contains(directory), "\(nothing.error)")
        #expect(access(directory, F_OK) != 0, "looking makes nothing")
        let time = try await log("query", "--from", "yesterday")
        #expect(time.exit == .status(2))
        #expect(time.error.contains("2026-11-21T12:30:00Z"), "\(time.error)")
    }
}
