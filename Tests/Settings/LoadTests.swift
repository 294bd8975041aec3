import Base
import Glibc
import TestSupport
import Testing

@testable import Settings

/// Several files that are one.
@Suite struct LoadTests {
    private func source(_ name: String, _ text: String) -> SettingsSource {
        SettingsSource(name: name, bytes: Array(text.utf8))
    }

    @Test("later files add tables to lists, and replace single values")
    func merging() throws {
        let settings = try Settings.parse([
            source("main", Files.short),
            source("a", "[[machine]]\nname = \"a\"\nmodbus = \"tcp://192.168.140.10:502\"\n"),
            source("b", "[[machine]]\nname = \"b\"\nmodbus = \"tcp://192.168.140.11:502\"\n"),
            source("c", "[device]\nname = \"other\"\n[cloud]\nports = [\"tcp/443\"]\n"),
        ])
        #expect(settings.machines.map(\.name) == ["a", "b"])
        #expect(settings.device.name == "other")
        #expect(settings.cloud.ports.map(\.description) == ["tcp/443"])
        #expect(settings.uplinks.map(\.name) == ["wan"])
    }

    @Test("an error keeps the place in its own file, in the order of the files")
    func places() {
        let errors = Files.errors([
            source("main", Files.short + "[ntp]\nservers = 1\n"),
            source("z", "\n[[uplink]]\nname = \"wan\"\ninterface = \"eth1\"\n"),
            source("a", "lan = 3\n[device]\nname = 4\n"),
        ])
        #expect(
            errors == [
                "main:13:11: ntp.servers: 1 is not a list; write a list, such as [\"9.9.9.9\"]",
                "z:3:8: uplink[1].name: \"wan\" is taken by uplink[0].name (main:4:8)",
                "a:1:1: lan: 3 where main:6:1 has a table",
                "a:3:8: device.name: 4 is not a host name; write 1 to 63 letters, digits or -, "
                    + "such as \"press-line-4\"",
            ])
    }

    @Test("a part that is not text hides no other error, and nothing is called missing for it")
    func damagedPart() {
        let errors = Files.errors([
            source("main", "[device]\nname = \"a\"\n"), source("b", "[lan\n"),
        ])
        #expect(errors == ["b:1:5: expected ] after the table's name, saw the end of the line"])
    }

    @Test("conf.d beside the file is read in the order of names")
    func directory() throws {
        let folder = try TemporaryFolder()
        Self.write(Files.short, to: "\(folder.path)/drawbridge.toml")
        #expect(throws: Never.self) { try Settings.load(file: "\(folder.path)/drawbridge.toml") }
        mkdir("\(folder.path)/conf.d", 0o700)
        for (name, device) in [("20-b", "second"), ("10-a", "first"), ("9-c", "third")] {
            Self.write("[device]\nname = \"\(device)\"\n", to: "\(folder.path)/conf.d/\(name).toml")
        }
        Self.write("not = [ toml", to: "\(folder.path)/conf.d/30-d.toml~")
        Self.write("not = [ toml", to: "\(folder.path)/conf.d/.40-e.toml")
        let settings = try Settings.load(file: "\(folder.path)/drawbridge.toml")
        #expect(settings.device.name == "third")
    }

    @Test("what can't be read is said with its reason")
    func unreadable() throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: SettingsErrors.self) {
            try Settings.load(file: "\(folder.path)/none.toml")
        }
        #expect(
            error?.lines == [
                "\(folder.path)/none.toml: cannot read the file: No such file or directory"
            ]
        )
        mkfifo("\(folder.path)/pipe.toml", 0o600)
        #expect(throws: SettingsErrors.self) { try Settings.load(file: "\(folder.path)/pipe.toml") }
        let long = "#" + String(repeating: "x", count: TOMLParser.Limits.bytesMax)
        Self.write(Files.short, to: "\(folder.path)/a.toml")
        mkdir("\(folder.path)/conf.d", 0o700)
        Self.write(long, to: "\(folder.path)/conf.d/long.toml")
        let tooLong = #expect(throws: SettingsErrors.self) {
            try Settings.load(file: "\(folder.path)/a.toml")
        }
        #expect(
            tooLong?.lines == [
                "\(folder.path)/conf.d/long.toml: is 1048577 bytes long; at most 1048576 are read"
            ])
    }

    @Test("more errors than anybody reads are counted")
    func manyErrors() {
        let tags = String(repeating: "[[machine.tag]]\n", count: 30)
        let errors = Files.errors(Files.short + "[[machine]]\n" + tags)
        #expect(errors.count == SettingsErrors.problemsMax + 1)
        #expect(errors.last == "and 42 more")
    }

    private static func write(_ text: String, to path: String) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        let bytes = Array(text.utf8)
        #expect(file >= 0)
        #expect(Glibc.write(file, bytes, bytes.count) == bytes.count)
        close(file)
    }
}
