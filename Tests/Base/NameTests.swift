import Base
import Testing

@Suite("Domain names, patterns and boot ids") struct NameTests {
    @Test(arguments: [
        ("mqtt.ixon.net", "mqtt.ixon.net"), ("MQTT.Ixon.NET.", "mqtt.ixon.net"), ("a", "a"),
        ("_dmarc.x-y.z1", "_dmarc.x-y.z1"),
    ])
    func names(text: String, written: String) {
        #expect(DomainName(text)?.description == written)
    }

    @Test(arguments: [
        "", ".", "a..b", ".a", "a b", "-a.b", "a-.b", "a.b..", "*.a", "ä.de", "a/b", "a.b:1",
        "a\0b",
        // The Kelvin sign, whose lower case is an ASCII k.
        "mqtt.\u{212A}ixon.net",
    ])
    func notNames(text: String) {
        #expect(DomainName(text) == nil)
    }

    @Test("labels of 63 bytes and names of 253 are the longest")
    func lengths() {
        let label = String(repeating: "a", count: 63)
        #expect(DomainName(label) != nil)
        #expect(DomainName(label + "a") == nil)
        let longest = "\(label).\(label).\(label)." + String(repeating: "b", count: 61)
        #expect(longest.utf8.count == DomainName.lengthMax)
        #expect(DomainName(longest) != nil)
        #expect(DomainName(longest + ".") != nil)
        #expect(DomainName(longest + "b") == nil)
        #expect(DomainName(labels: ["a", "b.c"]) == nil)
        #expect(DomainName(labels: []) == nil)
    }

    @Test(arguments: [
        ("*.ixon.net", "a.ixon.net", true), ("*.ixon.net", "b.a.ixon.net", true),
        ("*.ixon.net", "ixon.net", false), ("*.ixon.net", "evilixon.net", false),
        ("*.ixon.net", "a.ixon.net.evil.com", false), ("*.ixon.net", "A.IXON.NET", true),
        ("mqtt.ixon.net", "mqtt.ixon.net", true), ("mqtt.ixon.net", "a.mqtt.ixon.net", false),
        ("mqtt.ixon.net", "ixon.net", false),
    ])
    func patterns(pattern: String, name: String, matches: Bool) throws {
        let pattern = try #require(DomainPattern(pattern))
        let name = try #require(DomainName(name))
        #expect(pattern.matches(name) == matches)
    }

    @Test(arguments: ["", "*", "*.", "*.net", "a.*.net", "*a.net", "**.a.net", "*.*.net", "a.net*"])
    func notPatterns(text: String) {
        #expect(DomainPattern(text) == nil)
    }

    @Test func patternsReadBack() {
        for text in ["*.ixon.net", "mqtt.ixon.net"] {
            #expect(DomainPattern(text)?.description == text)
        }
    }

    @Test func bootIDs() {
        let id = BootID("9f0a1b2c-3d4e-5f60-7182-93a4b5c6d7e8\n")
        #expect(id == BootID(high: 0x9f0a_1b2c_3d4e_5f60, low: 0x7182_93a4_b5c6_d7e8))
        #expect(BootID("9F0A1B2C3D4E5F60718293A4B5C6D7E8") == id)
    }

    @Test(arguments: [
        "", "9f0a1b2c-3d4e-5f60-7182-93a4b5c6d7e", "9f0a1b2c-3d4e-5f60-7182-93a4b5c6d7e80",
        "gf0a1b2c-3d4e-5f60-7182-93a4b5c6d7e8", "+f0a1b2c-3d4e-5f60-7182-93a4b5c6d7e8",
    ])
    func notBootIDs(text: String) {
        #expect(BootID(text) == nil)
    }
}

@Suite("Instants") struct InstantTests {
    @Test func arithmetic() {
        let start = Instant.boot + .seconds(2)
        #expect(start.nanoseconds == 2_000_000_000)
        #expect(start - Instant.boot == .seconds(2))
        #expect(start - .milliseconds(500) == Instant(nanoseconds: 1_500_000_000))
        #expect(Instant.boot < start)
        var moved = start
        moved += .nanoseconds(1)
        #expect(moved - start == .nanoseconds(1))
    }

    @Test func units() {
        #expect(Duration.milliseconds(1500).nanoseconds == 1_500_000_000)
        // Below and above what 64 bits hold of attoseconds without their lowest nine bits, and below zero.
        for nanoseconds: Int64 in [
            0, 1, 999_999_999, 9_444_732_965_739, 9_444_732_965_740, .max, -1, -1_500_000_001, .min,
        ] {
            let exact = Duration(attoseconds: Int128(nanoseconds) * 1_000_000_000)
            #expect(exact.nanoseconds == nanoseconds)
        }
        #expect(Duration(attoseconds: 1_999_999_999).nanoseconds == 1)
        #expect(Duration.milliseconds(-1500).nanoseconds == -1_500_000_000)
        #expect(Duration.microseconds(1500).milliseconds == 1.5)
        #expect(Duration.milliseconds(1500).inSeconds == 1.5)
    }
}
