import Testing

@testable import drawbridge

/// What others say ends up in our log: as a value, and as nothing else.
@Suite("Log lines")
struct JournalLogTests {
    @Test(
        "a value is one field of one line",
        arguments: [
            ("eth0", "eth0"), ("", #""""#), ("not found", #""not found""#),
            ("a=b", #""a=b""#), (#"CN=x" gate="open"#, #""CN=x\" gate=\"open""#),
            (#"back\slash"#, #""back\\slash""#), ("one\r\ntwo", #""one  two""#),
            ("\u{1b}[2J", #"" [2J""#), ("\u{9b}2J", #"" 2J""#), ("a\u{202e}b", #""a b""#),
        ])
    func quoted(value: String, field: String) {
        #expect(JournalLog.quoted(value) == field)
    }
}
