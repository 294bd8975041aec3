import Testing

@testable import Settings

/// Broken files, each with the lines that it must give beside it in `NAME.errors`.
@Suite struct FixtureTests {
    static let names = [
        "addresses", "allow-list", "broken-header", "budget", "bulk", "captive", "covered",
        "duplicates", "empty", "enrol", "failover", "firewall", "health", "keepalive",
        "lists", "missing", "nine-uplinks", "not-allowed", "not-text", "overlaps", "page",
        "page-forms", "paths", "pins", "probes", "proxy", "proxy-alone", "proxy-name",
        "proxy-words", "push", "push-alone", "push-nowhere", "redefined", "serial",
        "services", "slips", "subscribe", "switch", "switch-words", "syntax", "syslog",
        "syslog-address", "syslog-plain", "tags", "targets", "unclosed-list",
        "unclosed-text", "unknown-keys", "utf-16", "values", "words",
    ]

    @Test("a broken file gives every error with its place", arguments: names)
    func errors(name: String) throws {
        let source = try #require(
            SettingsFiles.read(main: "\(Files.fixtures)/\(name).toml").sources.first)
        let lines = Files.errors([SettingsSource(name: "\(name).toml", bytes: source.bytes)])
        let expected = try Files.text("\(Files.fixtures)/\(name).errors")
            .split(separator: "\n").map { String($0) }
        #expect(lines == expected)
    }
}
