import TestSupport
import Testing

@testable import Settings

/// Damaged files of every sort: no crash, no hang, and always an answer that makes sense.
@Suite struct FuzzTests {
    /// Of all runs together.
    static let filesCount = 100_000
    static let seeds: [UInt64] = [1, 2, 3, 4]

    /// The example without its prose, and the fixtures: small files reach more per second.
    static let corpus: [[UInt8]] = {
        var texts = FixtureTests.names.compactMap { name in
            SettingsFiles.read(main: "\(Files.fixtures)/\(name).toml").sources.first?.bytes
        }
        if let example = SettingsFiles.read(main: Files.example).sources.first?.bytes {
            let lines = example.split(separator: .lineFeed).filter { !$0.starts(with: [.hash]) }
            texts.append(Array(lines.joined(separator: [.lineFeed])))
        }
        return texts
    }()

    static let splices = [
        "[[", "]]", "[", "]", "{", "}", "\"", "\"\"\"", "'''", "'", "=", ".", ",", "\n", "\r",
        "\r\n",
        "#", "\\", "\\u00e9", "\\U0010ffff", "0x", "1e9", "-", "_", "inf", "nan",
        "9223372036854775808",
        "\u{FEFF}", "\u{FEDF}", "\u{0}", "[[[x]]", "a.b.c=", "= {a=1,", "= [\n",
        String(repeating: "[", count: 40), String(repeating: "a.", count: 40),
    ].map { Array($0.utf8) }

    @Test("a damaged file is refused with places inside it, or read whole", arguments: seeds)
    func damagedFiles(seed: UInt64) async {
        var random = SeededGenerator(seed: seed)
        var refused = 0
        for round in 0..<(Self.filesCount / Self.seeds.count) {
            // Other tests wait with deadlines meanwhile.
            if round.isMultiple(of: 64) { await Task.yield() }
            let bytes = Self.mutant(using: &random)
            let lines = bytes.count(where: { $0 == .lineFeed }) + 1
            do throws(SettingsErrors) {
                _ = try Settings.parse([SettingsSource(name: "f", bytes: bytes)])
            } catch {
                refused += 1
                let isRight =
                    !error.problems.isEmpty
                    && error.problems.allSatisfy { problem in
                        problem.position.line <= lines && !problem.message.isEmpty
                    }
                #expect(isRight, "seed \(seed), round \(round): \(error.lines)")
            }
        }
        #expect(refused > 0)
    }

    static func mutant(using random: inout SeededGenerator) -> [UInt8] {
        var bytes = corpus.randomElement(using: &random) ?? []
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let place = Int.random(in: 0...bytes.count, using: &random)
            let end = min(bytes.count, place + Int.random(in: 1...16, using: &random))
            switch Int.random(in: 0..<8, using: &random) {
            case 0 where place < bytes.count:
                bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1 where place < bytes.count:
                bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 2:
                bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
            case 3:
                bytes.removeSubrange(place..<end)
            case 4:
                bytes.replaceSubrange(
                    place..<place, with: splices.randomElement(using: &random) ?? [])
            case 5:
                bytes.removeSubrange(place...)
            case 6:
                // A part of another file.
                let other = corpus.randomElement(using: &random) ?? []
                let from = Int.random(in: 0...other.count, using: &random)
                bytes.replaceSubrange(place..<end, with: other[from...].prefix(64))
            default:
                // A line twice.
                let start = bytes[..<place].lastIndex(of: .lineFeed).map { $0 + 1 } ?? 0
                let line = bytes[start...].prefix { $0 != .lineFeed } + [.lineFeed]
                bytes.replaceSubrange(start..<start, with: line)
            }
        }
        return bytes
    }

    @Test("files that would be slow or deep for a careless parser", arguments: hard)
    func hardFiles(_ hard: Hard) {
        let text = hard.prefix + String(repeating: hard.unit, count: hard.count)
        #expect(text.utf8.count <= TOMLParser.Limits.bytesMax)
        let errors = Files.errors(text)
        #expect(!errors.isEmpty)
        #expect(errors.count <= SettingsErrors.problemsMax + 1)
    }

    struct Hard: Sendable, CustomTestStringConvertible {
        var name: String
        var prefix = ""
        var unit: String
        var count: Int
        var testDescription: String { name }
    }

    static let hard = [
        Hard(name: "a deep list", prefix: "a = ", unit: "[", count: 500_000),
        Hard(name: "a deep table", prefix: "a = ", unit: "{a=", count: 300_000),
        Hard(name: "a long key", prefix: "a", unit: ".a", count: 500_000),
        Hard(name: "a long header", prefix: "[a", unit: ".a", count: 500_000),
        Hard(name: "a long list on one line", prefix: "a = [", unit: "1,", count: 500_000),
        Hard(name: "many tables", unit: "[[a]]\n", count: 150_000),
        Hard(name: "many lists that do not end", unit: "a = [\n", count: 150_000),
        Hard(name: "many long texts that do not end", unit: "a = '''\nb = \"\"\"\n", count: 60_000),
        Hard(name: "one long line", prefix: "a = \"", unit: "é", count: 500_000),
        Hard(name: "many uplinks", unit: "[[uplink]]\nx = 1\n", count: 50_000),
        Hard(name: "many tags", prefix: "[[machine]]\n", unit: "[[machine.tag]]\n", count: 60_000),
        Hard(name: "bytes that are no text", unit: "\u{0}\n", count: 500_000),
    ]
}
