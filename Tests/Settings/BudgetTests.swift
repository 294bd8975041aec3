import Base
import Testing

@testable import Settings

/// What the probes of an uplink may take in a month.
@Suite struct BudgetTests {
    private func budget(_ keys: String, interface: String = "eth0") throws -> ByteSize? {
        let text = Files.short.replacing(
            "interface = \"eth0\"", with: "interface = \"\(interface)\"\n\(keys)")
        let settings = try Settings.parse([SettingsSource(name: "f", bytes: Array(text.utf8))])
        return try #require(settings.uplinks.first).probeBudget
    }

    @Test(
        "behaviour 4.11: 5 MB where bytes are paid for, no bound elsewhere, unless the file says otherwise"
    )
    func defaults() throws {
        let usual = ByteSize(bytes: 5_000_000)
        #expect(try budget("") == nil)
        #expect(try budget("metered = true") == usual)
        #expect(try budget("medium = \"cellular\"") == usual)
        #expect(try budget("", interface: "wwan0") == usual)
        #expect(try budget("medium = \"ethernet\"", interface: "wwan0") == nil)
        #expect(try budget("budget = \"none\"", interface: "wwan0") == nil)
        #expect(try budget("budget = \"20MB\"") == ByteSize(bytes: 20_000_000))
    }
}
