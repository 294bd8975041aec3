import Base
import Console
import FoundationEssentials
import Linux
import Recorder
import Testing

@testable import Site

/// Behaviour 9.7: whole blocks to an HTTPS server, whatever it answers.
@Suite(
    "sites: blocks over HTTPS", .serialized, .enabled(if: Programs.obstacles().isEmpty),
    .timeLimit(.minutes(3)))
struct SiteBulkTests {
    private static let blocks = 12
    private static let recordsABlock = 400

    private struct Line: Decodable {
        var sequence: UInt64
        var source: String
        var tag: String
    }

    /// Writes blocks into the daemon's store, as if in a boot before this one.
    private static func fill(_ site: Site) throws {
        let directory = try DirectoryFiles(path: site.directory.state + "/recorder")
        var store = try RingStore(
            directory, quota: ByteSize(bytes: 64_000_000), bootID: BootID(high: 1, low: 1),
            now: { SystemClock().timestamp() })
        for block in 0..<blocks {
            for n in 0..<recordsABlock {
                let number = block * recordsABlock + n
                let reading = Reading(
                    source: "plc-1", tag: "noise.\(n % 4)",
                    value: .integer(.random(in: 0 ... .max)),
                    time: Timestamp(
                        monotonic: .boot + .seconds(number),
                        wall: WallTime(milliseconds: 1_790_000_000_000 + Int64(number) * 1000)))
                try store.append([reading], as: block % 3 == 1 ? .log : .sample)
            }
            try store.seal()
        }
        try store.sync()
    }

    private static func answer(_ words: String, _ site: Site) throws {
        try site.directory.write(words, to: site.directory.bulk + "/answer")
    }

    private static func waitFor(_ trouble: String, _ site: Site) async throws {
        try await site.waitUntil(within: .seconds(40), trouble) {
            guard let text = try? await site.status() else { return false }
            let status = try ConsoleJSON.decode(StatusDocument.self, from: Array(text.utf8))
            return status.problems.contains {
                $0.hasPrefix("bulk delivery: bulk.ixon.net ") && $0.contains(trouble)
            }
        }
    }

    @Test("behaviour 9.7: every block arrives as it is, over refusals, a wrong name and cuts")
    func arrival() async throws {
        try await Site.with { try await Self.arrival(in: $0) }
    }

    private static func arrival(in site: Site) async throws {
        try fill(site)
        try answer("refuse 503", site)
        let server = try await site.startBackground(
            in: .cloud, name: "bulk", BulkServer.arguments(site.directory))
        try await server.waitUntilReady(saying: "listening", within: .seconds(10))
        let config = try Site.shippedConfiguration()
            .replacing("size = \"8GB\"", with: "size = \"64MB\"")
        try await site.startDaemon(
            config: config + "\n[bulk]\nurl = \"https://bulk.ixon.net/blocks\"\n")
        try await waitFor("is busy (503)", site)
        try answer("stranger", site)
        try await waitFor("is for another host name, enrol.ixon.net", site)
        // Begun anew it pauses briefly again, and goes on where it was.
        try await site.killDaemon()
        try await site.startDaemon()
        try answer("cut 1000", site)
        try await waitFor("cannot be reached", site)
        // The server keeps one and says nothing: it comes again, and is told to be there.
        try answer("forget", site)
        try await server.waitUntilReady(saying: "kept silently", within: .seconds(40))
        try answer("", site)
        let total = UInt64(blocks * recordsABlock)
        try await site.waitUntil(within: .seconds(60), "all blocks at the server") {
            guard let text = try? await site.status() else { return false }
            let status = try ConsoleJSON.decode(StatusDocument.self, from: Array(text.utf8))
            let isSound = status.problems.allSatisfy { !$0.hasPrefix("bulk") }
            return try arrived(site) >= blocks && isSound
        }
        try await server.waitUntilReady(saying: "answered 409", within: .seconds(1))
        try await expectSame(site, through: total)
        await server.stop()
    }

    private static func folder(_ site: Site) -> String {
        "\(site.directory.bulk)/\(Site.deviceName)"
    }

    private static func arrived(_ site: Site) throws -> Int {
        try DirectoryFiles(readOnly: folder(site)).list().count { $0.name.hasSuffix(".block") }
    }

    /// What the folder says is what the store says, and the cursor is past it.
    private static func expectSame(_ site: Site, through total: UInt64) async throws {
        let daemon = try Programs.besideThisExecutable().daemon
        func log(_ arguments: String...) async throws -> String {
            try await site.output(in: .router, [daemon, "log"] + arguments)
        }
        let there = try await log(
            "export", "--format", "jsonl", "--blocks", folder(site), "--source", "plc-1", "--to",
            "2026-12-31")
        let here = try await log("export", "--format", "jsonl", "--source", "plc-1")
        let lines = there.split(separator: "\n").filter { $0.contains("noise.") }
        #expect(lines.count == Int(total))
        #expect(lines == here.split(separator: "\n").filter { $0.contains("noise.") })
        let sequences = try lines.map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8)).sequence
        }
        #expect(sequences == Array(1...total))
        #expect(try await log("verify", "--blocks", folder(site)).contains("0 damaged, 0 out"))
        // Its place is noted with one of the next commits.
        try await site.waitUntil(within: .seconds(20), "the cursor past all of them") {
            let stats = try await log("stats")
            let cursor = stats.split(separator: "\n").first { $0.hasPrefix("cursor bulk") } ?? ""
            #expect(cursor.hasSuffix(" 0 lost"), "\(stats)")
            let words = cursor.split(separator: " ").compactMap { UInt64($0.filter(\.isNumber)) }
            return words.first ?? 0 >= total
        }
    }
}
