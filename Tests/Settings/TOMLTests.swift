import Testing

@testable import Settings

/// The parser by itself: what TOML 1.0 says, and where things stand.
@Suite struct TOMLTests {
    private func entry(_ text: String) throws -> TOMLTable.Entry {
        let (table, problems) = TOMLParser.parse(Array(text.utf8), file: "f")
        #expect(problems.map(\.description) == [])
        return try #require(table.entries.first)
    }

    @Test(arguments: [
        (#""a\tb\n\"\\\u00e9\U0001F600""#, "a\tb\n\"\\é😀"), (#"'a\b"c'"#, #"a\b"c"#), ("\"\"", ""),
        ("\"\"\"\na\n b\"\"\"", "a\n b"), ("\"\"\"a\\\n   \n  b\"\"\"", "ab"),
        ("\"\"\"\"a\"\"\"\"\"", "\"a\"\""), ("'''a''b'''", "a''b"), ("'''\r\na\r\nb'''", "a\nb"),
        ("\"# no comment\" # a comment", "# no comment"),
    ])
    func texts(written: String, meant: String) throws {
        guard case .string(let text) = try entry("k = \(written)\n").value.value else {
            Issue.record("not a text")
            return
        }
        #expect(text == meant)
    }

    @Test(arguments: [
        ("0", 0), ("+1_000", 1000), ("-17", -17), ("0xdead_BEEF", 0xdead_beef), ("0o755", 0o755),
        ("0b1101", 13), ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min),
    ])
    func integers(written: String, meant: Int64) throws {
        guard case .integer(let number) = try entry("k = \(written)").value.value else {
            Issue.record("not an integer")
            return
        }
        #expect(number == meant)
    }

    @Test(arguments: [
        ("1.0", 1.0), ("-0.5e-3", -0.0005), ("6.626_070e34", 6.62607e34), ("5E+2", 500),
        ("inf", Double.infinity), ("-inf", -Double.infinity),
    ])
    func floats(written: String, meant: Double) throws {
        guard case .float(let number) = try entry("k = \(written)").value.value else {
            Issue.record("not a float")
            return
        }
        #expect(number == meant)
    }

    @Test(arguments: [
        "", "_1", "1_", "1__0", "01", "0x", "0xg", "+0x1", "0b2", "0o8", "1.", ".1", "1.e1", "1e",
        "1e1.5", "--1", "1e999", "tru", "TRUE", "Inf", "9223372036854775808", "1979-05-27",
        "07:32:00",
        "2s", "\"a", "'a", "\"\\x\"", "\"\\ud800\"", "[1", "[1 2]", "[,]", "{a=1", "{a=1,}", "{,}",
        "{a=1\n}", "{a=1,a=2}", "\"a\"\"b\"", "1 2", "\u{7f}", "\"\u{1}\"",
    ])
    func notValues(written: String) {
        let (_, problems) = TOMLParser.parse(Array("k = \(written)\nz = 1\n".utf8), file: "f")
        #expect(!problems.isEmpty)
        #expect(problems.allSatisfy { $0.position.line <= 3 })
    }

    @Test("columns count characters, and each key and value has its own place")
    func places() throws {
        let text = "\u{FEFF}\"é\" = { 'ü' = [ 1, \"x\" ] } # c\r\n[ a . b ]\n c.d=2"
        let (root, problems) = TOMLParser.parse(Array(text.utf8), file: "f")
        #expect(problems.isEmpty)
        let outer = try #require(root["é"])
        #expect(outer.position.description == "f:1:1")
        #expect(outer.value.position.description == "f:1:7")
        guard case .table(let inner) = outer.value.value,
            case .array(let list)? = inner["ü"]?.value.value
        else {
            Issue.record("not a list in a table")
            return
        }
        #expect(inner["ü"]?.position.description == "f:1:9")
        #expect(list.map(\.position.description) == ["f:1:17", "f:1:20"])
        guard case .table(let a)? = root["a"]?.value.value,
            case .table(let b)? = a["b"]?.value.value,
            case .table(let c)? = b["c"]?.value.value
        else {
            Issue.record("not tables")
            return
        }
        #expect(a["b"]?.value.position.description == "f:2:1")
        #expect(c["d"]?.position.description == "f:3:4")
        #expect(c["d"]?.value.position.description == "f:3:6")
    }

    @Test(
        "what may be defined once",
        arguments: [
            "a = 1\na = 2", "a.b = 1\na = 2", "a = 1\na.b = 2", "[a]\n[a]", "[a]\nb.c = 1\n[a.b]",
            "[a.b]\n[a]\nb.c = 1", "a = {}\n[a.b]", "a = {}\na.b = 1", "a = [{}]\n[[a]]",
            "[[a]]\n[a]",
            "[a]\n[[a]]", "a = {b.c = 1, b = 2}", "[[a.b]]\n[a]\nb = 1",
        ])
    func defined(text: String) {
        let (_, problems) = TOMLParser.parse(Array(text.utf8), file: "f")
        #expect(problems.count == 1)
    }

    @Test(
        "what may be added to",
        arguments: [
            "[a.b]\n[a]\nc = 1", "a.b = 1\na.c = 2", "[a]\nb.c = 1\n[a.b.d]",
            "[[a]]\n[a.b]\n[[a]]\n[a.b]",
            "a = {b.c = 1, b.d = 2}", "", "\n\n# c", "a = 1", "\"a.b\" = 1\na.b = 2", "1.2 = 3",
        ])
    func added(text: String) {
        let (_, problems) = TOMLParser.parse(Array(text.utf8), file: "f")
        #expect(problems.map(\.description) == [])
    }
}
