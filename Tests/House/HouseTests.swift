import FoundationEssentials
import Testing

/// The rules of the house that the compiler does not enforce, read off the sources themselves.
@Suite("House rules")
struct HouseTests {
    @Test("no room imports another room")
    func roomsDoNotKnowEachOther() throws {
        for file in try SourceFile.all(under: "Sources") where House.rooms.contains(file.module) {
            let foreign = file.imports.filter { House.rooms.contains($0) && $0 != file.module }
            #expect(foreign.isEmpty, "\(file.path) imports \(foreign)")
        }
    }

    @Test("the foundations import no room, and only what lies below them")
    func foundationsStandAlone() throws {
        let allowed: [String: Set<String>] = [
            "Base": [],
            "Settings": ["Base", "FoundationEssentials", "Glibc"],
            "Linux": ["Base", "CLinux", "Glibc", "Synchronization"],
        ]
        for file in try SourceFile.all(under: "Sources") {
            guard let allowed = allowed[file.module] else { continue }
            let foreign = file.imports.subtracting(allowed)
            #expect(foreign.isEmpty, "\(file.path) imports \(foreign)")
        }
    }

    @Test("decisions import Base, plans also Settings, and nothing else")
    func decisionsAreValues() throws {
        var decisions = 0
        for file in try SourceFile.all(under: "Sources")
        where House.rooms.contains(file.module) && !House.isShell(file) {
            decisions += 1
            let foreign = file.imports.subtracting(["Base", "Settings", "FoundationEssentials"])
            #expect(foreign.isEmpty, "\(file.path) imports \(foreign)")
            for clock in ["SystemClock(", "ContinuousClock", "Date()", "Task.sleep", "await "] {
                #expect(!file.code.contains(clock), "\(file.path) uses \(clock)")
            }
        }
        #expect(decisions >= House.rooms.count, "the rule must have looked at something")
    }

    @Test("the site is never part of the daemon")
    func siteStaysOutside() throws {
        for file in try SourceFile.all(under: "Sources")
        where !["Site", "drawbridge-site"].contains(file.module) {
            #expect(!file.imports.contains("Site"), "\(file.path) imports Site")
        }
    }

    @Test("what may not stand in the sources does not")
    func bannedWords() throws {
        let banned = [
            "import Foundation\n": "full Foundation brings 40 MB of ICU",
            "try!": "an error must be handled",
            "fatalError(": "say preconditionFailure and why it cannot be",
            "TODO": "finish it or file it", "FIXME": "finish it or file it",
        ]
        for file in try SourceFile.all(under: "Sources") + SourceFile.all(under: "Tests")
        where !file.path.hasSuffix("House/HouseTests.swift") {
            for (word, why) in banned {
                #expect(!file.text.contains(word), "\(file.path) contains \(word): \(why)")
            }
        }
    }

    @Test("an unchecked Sendable says why it is safe")
    func uncheckedIsExplained() throws {
        for file in try SourceFile.all(under: "Sources") + SourceFile.all(under: "Tests")
        where !file.path.hasSuffix("House/HouseTests.swift") {
            let claims =
                file.code.components(separatedBy: "@unchecked Sendable").count - 1
                + file.code.components(separatedBy: "nonisolated(unsafe)").count - 1
            let reasons = file.text.components(separatedBy: "Safe because").count - 1
            #expect(reasons >= claims, "\(file.path): \(claims) claims, \(reasons) reasons")
        }
    }

    @Test("what the README shows of `drawbridge check` is what it says")
    func readmeShowsRealErrors() throws {
        let readme = try SourceFile.text("README.md")
        let shown = readme.split(separator: "\n").filter { $0.hasPrefix("unknown-keys.toml:") }
        let real = try SourceFile.text("Tests/Settings/Fixtures/unknown-keys.errors")
            .split(separator: "\n")
        #expect(shown.count >= 3)
        #expect(shown == Array(real.prefix(shown.count)))
    }

    @Test("no file is longer than one can hold in one's head")
    func filesStayShort() throws {
        for file in try SourceFile.all(under: "Sources") {
            let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false).count
            #expect(lines <= House.linesMax, "\(file.path) has \(lines) lines")
        }
    }
}

enum House {
    static let rooms: Set<String> = [
        "Uplinks", "Firewall", "Egress", "KillSwitch", "Tunnel", "Recorder", "Machines", "Cloud",
        "Console",
    ]
    static let linesMax = 400

    /// Services and the implementations of ports do I/O; every other file of a room is a decision.
    static func isShell(_ file: SourceFile) -> Bool {
        file.path.contains("/Shell/") || file.path.hasSuffix("Service.swift")
    }
}

struct SourceFile {
    /// Path from the repository's root.
    let path: String
    let text: String

    /// The folder below `Sources` or `Tests`.
    var module: String {
        let parts = path.split(separator: "/")
        return parts.count > 1 ? String(parts[1]) : ""
    }

    /// The text without comments.
    var code: String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { line in line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line }
            .joined(separator: "\n")
    }

    var imports: Set<String> {
        Set(
            text.split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ").filter {
                    !["package", "public", "internal", "private", "@preconcurrency"].contains($0)
                }
                guard words.first == "import", let last = words.last else { return nil }
                return String(last.split(separator: ".")[0])
            })
    }

    private static let root = #filePath.components(separatedBy: "/Tests/House/")[0]

    /// A text of the repository.
    static func text(_ path: String) throws -> String {
        try String(contentsOfFile: root + "/" + path, encoding: .utf8)
    }

    static func all(under folder: String) throws -> [SourceFile] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: root + "/" + folder)
        var files: [SourceFile] = []
        for name in names where name.hasSuffix(".swift") {
            let path = folder + "/" + name
            files.append(
                SourceFile(
                    path: path, text: try String(contentsOfFile: root + "/" + path, encoding: .utf8)
                ))
        }
        try #require(!files.isEmpty)
        return files
    }
}
