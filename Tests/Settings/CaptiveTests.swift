import Base
import Testing

@testable import Settings

/// The page that shows whether an uplink wants a login.
@Suite struct CaptiveTests {
    private func check(_ keys: String) throws -> Settings.CaptiveCheck {
        let text = Files.short.replacing(
            "interface = \"eth0\"", with: "interface = \"eth0\"\n\(keys)")
        let settings = try Settings.parse([SettingsSource(name: "f", bytes: Array(text.utf8))])
        return try #require(settings.uplinks.first).keepAlive.captiveCheck
    }

    @Test("behaviour 4.13: off unless the file says otherwise")
    func reads() throws {
        #expect(try check("") == .off)
        #expect(try check("captive-check = \"off\"") == .off)
        let page = try #require(
            try check("captive-check = \"http://connectivity.example/generate_204\"").page)
        #expect(page.endpoint.host.description == "connectivity.example")
        #expect(page.endpoint.port == TransportPort(.tcp, 80))
        #expect(page.path == "/generate_204")
        let other = try check("captive-check = \"http://a.example:8080\"").page
        #expect(other?.endpoint.port.port == 8080)
        #expect(other?.path == "/")
    }
}
