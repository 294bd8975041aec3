import Base
import Testing

@testable import Settings

@Suite("Settings: where blocks go as they are")
struct BulkSettingsTests {
    private func file(_ server: String) -> String {
        Files.short + """

            [bulk]
            url = "\(server)"
            """
    }

    @Test(
        "a server, its port and a folder",
        arguments: [
            ("https://bulk.ixon.net", "https://bulk.ixon.net:443"),
            ("https://bulk.ixon.net/", "https://bulk.ixon.net:443"),
            ("https://bulk.ixon.net:8443/a/b-1.x/", "https://bulk.ixon.net:8443/a/b-1.x"),
        ])
    func right(server: String, url: String) throws {
        let settings = try Settings.parse(file(server))
        #expect(settings.bulk?.folder.url == url)
    }

    @Test("without the table nothing goes there")
    func none() throws {
        #expect(try Settings.parse(Files.short).bulk == nil)
    }

    @Test(
        "what cannot be meant is refused, with what to write",
        arguments: [
            ("http://bulk.ixon.net", "is not encrypted; write https://"),
            ("bulk.ixon.net", "is not a folder of an HTTPS server; write https://host"),
            ("https://", "is not a folder of an HTTPS server"),
            ("https://bulk.ixon.net:0", "65535"),
            ("https://203.0.113.12", "names an address"),
            ("https://bulk.ixon.net//a", "has a path"),
            ("https://bulk.ixon.net/../a", "has a path"),
            ("https://bulk.ixon.net/a?b=c", "has a path"),
            ("https://bulk.ixon.net/a b", "has a path"),
            ("https://me:secret@bulk.ixon.net", "is not a folder of an HTTPS server"),
        ])
    func wrong(server: String, words: String) {
        let lines = Files.errors([SettingsSource(name: "x", bytes: Array(file(server).utf8))])
        #expect(lines.count == 1)
        #expect(lines.first?.contains(words) ?? false, "\(lines)")
    }
}
