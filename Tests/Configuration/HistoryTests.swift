import Base
import Glibc
import Linux
import Settings
import TestSupport
import Testing

@testable import Configuration

@Suite("config: the history of good ones")
struct HistoryTests {
    let folder: TemporaryFolder
    let history: ConfigurationHistory
    var file: String { folder.path + "/etc/drawbridge.toml" }

    init() throws {
        folder = try TemporaryFolder()
        history = ConfigurationHistory(stateDirectory: folder.path + "/state")
        try Directory.make(folder.path + "/etc/conf.d")
    }

    private func sources(_ text: String, part: String? = nil) -> [SettingsSource] {
        var sources = [SettingsSource(name: file, bytes: Array(text.utf8))]
        if let part {
            let name = folder.path + "/etc/conf.d/tags.toml"
            sources.append(SettingsSource(name: name, bytes: Array(part.utf8)))
        }
        return sources
    }

    @Test("each is kept once, with its parts, under the next number")
    func keeps() throws {
        #expect(try history.keep(sources("a = 1"), of: file) == 1)
        #expect(try history.keep(sources("a = 1"), of: file) == 1)
        #expect(try history.keep(sources("a = 1", part: "b = 2"), of: file) == 2)
        #expect(try history.keep(sources("a = 1"), of: file) == 3)
        #expect(history.entries().map(\.number) == [1, 2, 3])
        #expect(
            try history.files(2).map(\.name) == ["drawbridge.toml", "conf.d/tags.toml"])
    }

    @Test("the last 20 are kept")
    func forgets() throws {
        for number in 1...25 { _ = try history.keep(sources("a = \(number)"), of: file) }
        #expect(history.entries().map(\.number) == Array(6...25))
    }

    @Test("one is brought back with its parts, other parts are set aside, modes stay")
    func restores() throws {
        let part = folder.path + "/etc/conf.d/tags.toml"
        let other = folder.path + "/etc/conf.d/other.toml"
        let good = Self.short.replacing("STATE", with: folder.path + "/state")
        let more = "[keepalive]\ninterval = \"2s\"\n"
        _ = try history.keep(sources(good, part: more), of: file)
        // Whatever the umask: whoever could read it still can.
        try SmallFile.replace(file, with: Array("broken".utf8), mode: 0o666)
        try SmallFile.replace(other, with: Array("c = 3".utf8))
        try history.restore(1, to: file)
        #expect(try SmallFile.readText(file) == good)
        #expect(try SmallFile.readText(part) == more)
        #expect(access(other, F_OK) != 0 && access(other + ".before-restore", F_OK) == 0)
        var about = stat()
        #expect(stat(file, &about) == 0 && about.st_mode & 0o777 == 0o666)
    }

    @Test("only what is a config, and lies there itself, is brought back")
    func hostile() throws {
        let secret = folder.path + "/secret"
        let good = Self.short.replacing("STATE", with: folder.path + "/state")
        try SmallFile.replace(secret, with: Array(good.utf8))
        try SmallFile.replace(file, with: Array(good.utf8))
        _ = try history.keep(sources("a = 1"), of: file)
        #expect(throws: SettingsErrors.self) { try history.restore(1, to: file) }
        try Directory.make(history.folder(2))
        symlink(secret, history.folder(2) + "/drawbridge.toml")
        #expect(throws: SystemError.self) { try history.restore(2, to: file) }
        symlink(folder.path + "/etc", history.folder(3))
        #expect(throws: SystemError.self) { try history.restore(3, to: file) }
        #expect(try SmallFile.readText(file) == good)
    }

    private static let short = """
        [device]
        name = "a"
        state = "STATE"
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

    @Test(
        "behaviour 5.3: a start takes the last confirmed config instead of one that was not confirmed"
    )
    func start() throws {
        let good = Self.short.replacing("STATE", with: folder.path + "/state")
        let changed = good + "[firewall]\nlan-to-wan = \"both\"\n"
        _ = try history.keep(sources(good), of: file)
        try SmallFile.replace(file, with: Array(changed.utf8))
        #expect(try ConfigurationHistory.start(file: file).fallback == nil)
        try history.keepUnconfirmed(sources(changed), of: file)
        #expect(history.entries().map(\.number) == [1])
        let start = try ConfigurationHistory.start(file: file)
        #expect(start.fallback == 1 && start.settings.firewall.lanToWAN == .neither)
        #expect(start.sources == sources(good))
        // Another file is another matter.
        try SmallFile.replace(file, with: Array((changed + "# again\n").utf8))
        #expect(try ConfigurationHistory.start(file: file).settings.firewall.lanToWAN == .both)
        history.forgetUnconfirmed()
        #expect(history.unconfirmed().isEmpty)
    }

    @Test("a number that is not there is told")
    func unknown() throws {
        #expect(throws: SystemError.self) { try history.restore(7, to: file) }
    }
}
