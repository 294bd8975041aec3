import FoundationEssentials
import Testing

/// The rules of the house that the compiler does not enforce, read off the sources themselves.
@Suite("House rules")
struct HouseTests {
    @Test("no room imports another room")
    func roomsDoNotKnowEachOther() throws {
        let rooms = try House.rooms()
        for file in try SourceFile.all(under: "Sources") where rooms.contains(file.module) {
            let foreign = file.imports.filter { rooms.contains($0) && $0 != file.module }
            #expect(foreign.isEmpty, "\(file.path) imports \(foreign)")
        }
    }

    @Test("every folder of the sources is a room or known not to be one, and the plan shows it")
    func everyFolderHasItsPlace() throws {
        let plan = try House.text("docs/architecture.md")
        for folder in try House.folders(in: "Sources") {
            #expect(
                try House.rooms().contains(folder) || House.otherFolders.contains(folder),
                "Sources/\(folder) is no room(…) in Package.swift")
            #expect(plan.contains("`\(folder)`"), "docs/architecture.md does not name \(folder)")
        }
    }

    @Test("what the README says to listen or to lie in the daemon's folders is in the code")
    func readmeNamesRealSockets() throws {
        let code = try SourceFile.all(under: "Sources").map(\.text).joined()
        let readme = try House.text("README.md")
        var names: Set<Substring> = []
        for folder in ["`/run/drawbridge/", "`/var/lib/drawbridge/"] {
            for rest in readme.components(separatedBy: folder).dropFirst() {
                names.insert(rest.prefix { $0 != "`" && $0 != "/" })
            }
        }
        #expect(names.isSuperset(of: ["control.sock", "vpn.sock", "lock", "recorder"]))
        for name in names { #expect(code.contains("/\(name)\""), "nothing makes \(name)") }
        for socket in code.matches(of: /"\/([a-z]+\.sock)"/) {
            #expect(names.contains(socket.1), "the README does not tell of \(socket.1)")
        }
    }

    @Test("the foundations import no room, and only what lies below them")
    func foundationsStandAlone() throws {
        let allowed: [String: Set<String>] = [
            "Base": [],
            "Settings": ["Base", "FoundationEssentials", "Glibc"],
            "Linux": [
                "Base", "CCurl", "CLinux", "CMosquitto", "COpenSSL", "Glibc", "Synchronization",
            ],
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
        let rooms = try House.rooms()
        for file in try SourceFile.all(under: "Sources")
        where rooms.contains(file.module) && !House.isShell(file) {
            decisions += 1
            let foreign = file.imports.subtracting(["Base", "Settings", "FoundationEssentials"])
            #expect(foreign.isEmpty, "\(file.path) imports \(foreign)")
            for effect in [
                "SystemClock(", "ContinuousClock", "Date()", "await ", "Task ", "Task.",
                "SystemRandomNumberGenerator",
            ] {
                #expect(!file.code.contains(effect), "\(file.path) uses \(effect)")
            }
            // Chance is an argument, as time is: a run by seed can then be repeated.
            for call in file.code.matches(of: /\.random\([^)]*\)/) {
                #expect(call.0.contains("using:"), "\(file.path) throws dice: \(call.0)")
            }
        }
        #expect(decisions >= rooms.count, "the rule must have looked at something")
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
            "try!": "an error must be handled",
            "fatalError(": "say preconditionFailure and why it cannot be",
            "TODO": "finish it or file it", "FIXME": "finish it or file it",
        ]
        for file in try SourceFile.all(under: "Sources") + SourceFile.all(under: "Tests")
        where !file.path.hasSuffix("House/HouseTests.swift") {
            for (word, why) in banned {
                #expect(!file.text.contains(word), "\(file.path) contains \(word): \(why)")
            }
            #expect(
                !file.imports.contains("Foundation"),
                "\(file.path) imports Foundation, which brings 40 MB of ICU")
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
        let readme = try House.text("README.md")
        let shown = readme.split(separator: "\n").filter { $0.hasPrefix("unknown-keys.toml:") }
        let real = try House.text("Tests/Settings/Fixtures/unknown-keys.errors")
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
    /// What stands in `Sources` beside the rooms: foundations, executables, C, and the emulated site.
    static let otherFolders: Set<String> = [
        "Base", "Settings", "Linux", "drawbridge", "Site", "drawbridge-site", "fakegpiod",
        "CLinux", "CGPIO", "CModbus", "CMosquitto", "COpenSSL", "CFakeGPIO", "CTLS",
        "CMicroHTTPD", "CZstd", "CCurl",
    ]
    static let linesMax = 400
    private static let root = #filePath.components(separatedBy: "/Tests/House/")[0]

    /// The targets that Package.swift makes with `room("…")`.
    static func rooms() throws -> Set<String> {
        let rooms = try text("Package.swift").matches(of: /room\("(\w+)"/).map { String($0.1) }
        try #require(rooms.count >= 9)
        return Set(rooms)
    }

    static func text(_ path: String) throws -> String {
        try String(contentsOfFile: root + "/" + path, encoding: .utf8)
    }

    static func folders(in path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root + "/" + path)
    }

    static func files(under path: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: root + "/" + path)
    }

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
                // Before it stand access levels and attributes, behind it perhaps a kind: `struct M.T`.
                line.firstMatch(
                    of:
                        #/
                        ^ \s* (?: [@\w()]+ \s+ )*? import \s+
                        (?: (?: struct|class|enum|protocol|func|var|let|typealias ) \s+ )? (\w+)
                        /#
                ).map { String($0.1) }
            })
    }

    static func all(under folder: String) throws -> [SourceFile] {
        var files: [SourceFile] = []
        for name in try House.files(under: folder) where name.hasSuffix(".swift") {
            let path = folder + "/" + name
            files.append(SourceFile(path: path, text: try House.text(path)))
        }
        try #require(!files.isEmpty)
        return files
    }
}
