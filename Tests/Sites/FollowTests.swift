import Base
import Console
import FoundationEssentials
import Linux
import Testing

@testable import Site

/// A reader beside the cloud.
@Suite(
    "drawbridge log follow", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(1)))
struct FollowTests {
    private struct Line: Decodable {
        var sequence: UInt64
        var source: String
    }

    @Test(
        "behaviour 9.6: each record once for a reader in good order, also over a kill -9 of the daemon"
    )
    func overKill() async throws {
        try await Site.with { try await Self.overKill(in: $0) }
    }

    private static func follow(_ site: Site, _ cursor: String, _ more: String...) async throws
        -> [UInt64]
    {
        let daemon = try Programs.besideThisExecutable().daemon
        let said = try await site.run(
            in: .router, [daemon, "log", "follow", "--cursor", cursor, "--once"] + more)
        #expect(said.exit.isSuccess, "\(said.error)")
        return try said.output.split(separator: "\n").map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8)).sequence
        }
    }

    private static func waitForRecords(_ count: UInt64, _ site: Site) async throws {
        try await site.waitUntil(within: .seconds(20), "\(count) records") {
            guard let text = try? await site.status() else { return false }
            let document = try ConsoleJSON.decode(StatusDocument.self, from: Array(text.utf8))
            return document.recorder.durableRecords > count
        }
    }

    private static func overKill(in site: Site) async throws {
        try await site.startDaemon(config: try Site.shippedConfiguration())
        try await waitForRecords(20, site)
        var read = try await follow(site, "mes")
        #expect(read.first == 1)
        #expect(try await follow(site, "late", "--from", "now").count < 20)
        // Its place is noted with the next commit.
        try await Task.sleep(for: .seconds(3))
        try await site.killDaemon()
        try await site.startDaemon()
        try await waitForRecords(0, site)
        let after = try await follow(site, "mes")
        #expect(after.first == (read.last ?? 0) + 1)
        read += after
        #expect(read == Array(1...UInt64(read.count)))
        let text = try await site.status()
        let document = try ConsoleJSON.decode(StatusDocument.self, from: Array(text.utf8))
        #expect(document.recorder.cursors?.map(\.name) == ["mes", "late"])
        let daemon = try Programs.besideThisExecutable().daemon
        let forgotten = try await site.run(
            in: .router, [daemon, "log", "forget", "--cursor", "late"])
        #expect(forgotten.output == "forgot the cursor late\n", "\(forgotten.error)")
        let again = try await site.run(in: .router, [daemon, "log", "forget", "--cursor", "late"])
        #expect(again.error == "there is no cursor \"late\"\n")
    }
}
