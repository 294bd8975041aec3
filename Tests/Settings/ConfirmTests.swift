import Base
import Testing

@testable import Settings

/// The shortest silence of an uplink that is believed.
@Suite struct ConfirmTests {
    private func confirm(_ keys: String = "", interface: String = "eth0", probing: String = "")
        throws -> Duration
    {
        let text =
            Files.short.replacing(
                "interface = \"eth0\"", with: "interface = \"\(interface)\"\n\(keys)")
            + "[keepalive]\n\(probing)\n"
        let settings = try Settings.parse([SettingsSource(name: "f", bytes: Array(text.utf8))])
        return try #require(settings.uplinks.first).confirm
    }

    @Test("behaviour 4.2: it fits the medium, told or guessed from the interface's name")
    func medium() throws {
        #expect(try confirm() == .milliseconds(850))
        #expect(try confirm(interface: "wlan0") == .milliseconds(1500))
        #expect(try confirm(interface: "wwan0") == .milliseconds(2500))
        #expect(try confirm("medium = \"wifi\"") == .milliseconds(1500))
        #expect(try confirm(probing: "confirm = \"1s\"") == .seconds(1))
    }

    @Test("behaviour 4.2: who probes a cable more often than once a second wants to know sooner")
    func fast() throws {
        func fast(_ interval: String, interface: String = "eth0", more: String = "") throws
            -> Duration
        {
            try confirm(
                interface: interface,
                probing: "interval = \"\(interval)\"\ntimeout = \"100ms\"\n\(more)")
        }
        #expect(try fast("1s") == .milliseconds(850))
        #expect(try fast("600ms") == .milliseconds(510))
        #expect(try fast("250ms") == .milliseconds(350))
        #expect(try fast("100ms") == .milliseconds(350))
        #expect(try fast("250ms", interface: "wlan0") == .milliseconds(1500))
        #expect(try fast("250ms", more: "confirm = \"500ms\"") == .milliseconds(500))
    }
}
