import Glibc
import Testing

@testable import Settings

/// The files that these tests read.
enum Files {
    private static let folder = "\(#filePath)".split(separator: "/").dropLast()
    static let fixtures = "/" + folder.joined(separator: "/") + "/Fixtures"
    static let example = "/" + folder.dropLast(2).joined(separator: "/") + "/etc/drawbridge.toml"

    /// The least that a config file must say.
    static let short = """
        [device]
        name = "a"
        [[uplink]]
        name = "wan"
        interface = "eth0"
        [lan]
        network = "192.168.140.0/24"
        [dns]
        servers = ["9.9.9.9"]
        [cloud]
        broker = "mqtts://mqtt.ixon.net:443"

        """

    static func text(_ path: String) throws -> String {
        let (sources, problems) = SettingsFiles.read(main: path)
        #expect(problems.isEmpty)
        let source = try #require(sources.first)
        return try #require(String(validating: source.bytes, as: UTF8.self))
    }

    /// The error lines of a text; empty if it is right.
    static func errors(_ text: String, name: String = "f") -> [String] {
        errors([SettingsSource(name: name, bytes: Array(text.utf8))])
    }

    static func errors(_ sources: [SettingsSource]) -> [String] {
        do throws(SettingsErrors) {
            _ = try Settings.parse(sources)
            return []
        } catch {
            return error.lines
        }
    }
}
