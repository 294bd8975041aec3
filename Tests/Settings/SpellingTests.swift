import Testing

@testable import Settings

@Suite struct SpellingTests {
    @Test(arguments: [
        ("interval", "interval", 0), ("intervall", "interval", 1), ("itnerval", "interval", 1),
        ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("timeuot", "timeout", 1),
    ])
    func distance(a: String, b: String, letters: Int) {
        #expect(Spelling.distance(Array(a.utf8), Array(b.utf8)) == letters)
        #expect(Spelling.distance(Array(b.utf8), Array(a.utf8)) == letters)
    }

    @Test func nearest() {
        let known = ["name", "interface", "gateway", "network"]
        #expect(Spelling.nearest(to: "Interfaces", among: known) == "interface")
        #expect(Spelling.nearest(to: "gatway", among: known) == "gateway")
        #expect(Spelling.nearest(to: "password", among: known) == nil)
        #expect(Spelling.nearest(to: "", among: known) == nil)
        #expect(Spelling.nearest(to: "x", among: []) == nil)
    }
}
