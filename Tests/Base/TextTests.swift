import Base
import TestSupport
import Testing

@Suite("Durations and sizes as people write them") struct TextTests {
    @Test(arguments: [
        ("500ms", 500_000_000), ("2s", 2_000_000_000), ("1h", 3_600_000_000_000),
        ("1m30s", 90_000_000_000), ("0s", 0), ("1d", 86_400_000_000_000), ("7us", 7000),
    ])
    func durations(text: String, nanoseconds: Int64) {
        #expect(DurationText.parse(text) == .nanoseconds(nanoseconds))
    }

    @Test(arguments: [
        "", "2", "s", "2 s", " 2s", "-2s", "+2s", "2S", "2sec", "1.5s", "2s ", "٢s",
        "9223372036854775807s", "99999999999999999999s", "106751d2000000h",
    ])
    func notDurations(text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test("what is formatted reads back as the same duration")
    func durationsReadBack() {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<10_000 {
            let duration = Duration.microseconds(Int64.random(in: 0..<(1 << 50), using: &random))
            #expect(DurationText.parse(DurationText.format(duration)) == duration)
        }
        #expect(DurationText.format(.seconds(90)) == "1m30s")
        #expect(DurationText.format(.zero) == "0s")
        #expect(DurationText.format(.seconds(-1)) == "0s")
    }

    @Test(arguments: [
        ("8GB", 8_000_000_000), ("8GiB", 8_589_934_592), ("1MiB", 1 << 20), ("64kB", 64000),
        ("64KB", 64000), ("64KiB", 65536), ("2TB", 2_000_000_000_000), ("1TiB", 1 << 40), ("0B", 0),
    ])
    func sizes(text: String, bytes: Int64) {
        #expect(ByteSize(text) == ByteSize(bytes: bytes))
    }

    @Test(arguments: [
        "", "8", "GB", "8 GB", "8gb", "-8GB", "+8GB", "8.5GB", "8GBs", "9999999999TB", "٨GB",
    ])
    func notSizes(text: String) {
        #expect(ByteSize(text) == nil)
    }

    @Test("the exact text of a size reads back; the description is for people")
    func sizeTexts() {
        var random = SeededGenerator(seed: 2)
        for _ in 0..<10_000 {
            let bytes = Int64.random(in: 0..<(1 << 50), using: &random)
            #expect(ByteSize(ByteSize(bytes: bytes).exactText)?.bytes == bytes)
        }
        for text in ["8GB", "64MiB", "1TiB", "1kB", "0B", "1B"] {
            #expect(ByteSize(text)?.exactText == text)
        }
        #expect(ByteSize(bytes: 8_000_000_000).description == "8.00 GB")
        #expect(ByteSize(bytes: 1_234_567).description == "1.23 MB")
        #expect(ByteSize(bytes: 512).description == "512 B")
        #expect(ByteSize(bytes: 1) < ByteSize(bytes: 2))
    }

    @Test(arguments: ["0", "7", "65535"])
    func decimals(text: String) { #expect(UInt16(decimal: text).map { "\($0)" } == text) }

    @Test(arguments: ["", "+7", "-7", "07", "00", "65536", "7 ", "7a", "٧"])
    func notDecimals(text: String) { #expect(UInt16(decimal: text) == nil) }
}

@Suite("Base64")
struct Base64Tests {
    @Test("there and back, at every length")
    func roundTrip() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
            #expect(Base64.decode(Base64.encode(bytes).utf8) == bytes)
        }
        #expect(Base64.encode([255, 254, 253]) == "//79")
        #expect(Base64.encode([1, 2, 3, 4]) == "AQIDBA==")
    }

    @Test(
        "what is none",
        arguments: [
            "A", "AA", "AAA", "AB==", "AAB=", "A===", "====", "=AAA", "AA=A", "AA-_", "AA\n=",
        ])
    func refused(text: String) {
        #expect(Base64.decode(text.utf8) == nil)
    }
}

@Suite struct CivilTimeTests {
    @Test(
        "seconds become a date, also on leap days and before 1970",
        arguments: [
            (0, "1970-01-01 00:00", 3), (951_782_400, "2000-02-29 00:00", 1),
            (1_709_251_199, "2024-02-29 23:59", 3), (4_102_444_800, "2100-01-01 00:00", 4),
            (-1, "1969-12-31 23:59", 2), (1_795_010_529, "2026-11-18 14:02", 2),
        ])
    func dates(seconds: Int64, text: String, weekday: Int) {
        let time = CivilTime(seconds: seconds)
        #expect("\(time)" == text)
        #expect(time.weekday == weekday)
    }
}

@Suite("Text from outside in a line of ours")
struct PlainTextTests {
    @Test("what could split a line or steer a terminal is replaced, all else stays")
    func controls() {
        let text = "a\nb\r\nc\u{1b}[2Jd\u{9b}e\u{2028}f\u{202e}g\u{7f}h \u{e9}\u{1f512}"
        #expect(text.withoutControls("?") == "a?b??c?[2Jd?e?f?g?h \u{e9}\u{1f512}")
    }

    @Test("a quote with a combining mark is a quote")
    func combined() {
        let escaped = "x\"\u{301}y\\\u{301}".escaping(["\"", "\\"])
        #expect(Array(escaped.unicodeScalars) == Array("x\\\"\u{301}y\\\\\u{301}".unicodeScalars))
    }
}
