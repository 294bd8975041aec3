import Base
import Testing

@testable import Settings

@Suite("Settings: where sessions get their credentials")
struct EnrolmentSettingsTests {
    private func file(_ server: String) -> String {
        Files.short + """

            [switch]
            line = "key"
            [vpn]
            remote = "vpn.ixon.net:1194/udp"
            network = "10.8.0.0/24"
            enrol = "\(server)"
            """
    }

    @Test(
        "a server, its port and its label",
        arguments: [
            ("https://enrol.ixon.net", "https://enrol.ixon.net:443/.well-known/est/simpleenroll"),
            (
                "https://enrol.ixon.net:8443/press",
                "https://enrol.ixon.net:8443/.well-known/est/press/simpleenroll"
            ),
        ])
    func right(server: String, url: String) throws {
        let settings = try Settings.parse(file(server))
        #expect(settings.vpn?.enrolment?.url == url)
    }

    @Test(
        "what cannot be meant is refused, with what to write",
        arguments: [
            ("http://enrol.ixon.net", "is not encrypted; write https://"),
            ("enrol.ixon.net", "is not an enrolment server; write https://host"),
            ("https://", "is not an enrolment server"),
            ("https://enrol.ixon.net:0", "65535"),
            ("https://enrol.ixon.net:443:1", "is not an enrolment server"),
            ("https://203.0.113.11", "names an address"),
            ("https://enrol.ixon.net/", "has a label"),
            ("https://enrol.ixon.net/a b", "has a label"),
            ("https://enrol.ixon.net/..", "has a label"),
            ("https://enrol.ixon.net/.well-known/est", "at most one label"),
            ("https://me@enrol.ixon.net", "is not an enrolment server"),
        ])
    func wrong(server: String, words: String) {
        let lines = Files.errors([SettingsSource(name: "x", bytes: Array(file(server).utf8))])
        #expect(lines.count == 1)
        #expect(lines.first?.contains(words) ?? false, "\(lines)")
    }
}
