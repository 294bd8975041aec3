import Base
import Testing

@testable import Console

/// What the syslog server is sent, and how far it is.
@Suite("Syslog")
struct SyslogTests {
    private func entry(
        _ event: Event, number: UInt64 = 812, milliseconds: Int64 = 1_795_010_529_120
    ) throws -> EventEntry {
        var entry = try EventEntry(
            event, after: nil,
            at: Timestamp(
                monotonic: Instant(nanoseconds: 83_121_000_000),
                wall: WallTime(milliseconds: milliseconds)), boot: "9f0a")
        entry.number = number
        entry.hash = "5be0"
        return entry
    }

    @Test("behaviour 6.4: an event as RFC 5424 writes it, with its number and its hash")
    func message() throws {
        let entry = try entry(Event(.switch, who: "key switch", "turned off"))
        let text =
            "<85>1 2026-11-18T14:02:09.120Z press-line-4 drawbridge - switch "
            + "[meta sequenceId=\"812\"][drawbridge@32473 number=\"812\" kind=\"switch\" "
            + "who=\"key switch\" boot=\"9f0a\" bootMs=\"83121\" hash=\"5be0\"] "
            + "\u{feff}key switch: turned off"
        #expect(SyslogMessage.text(entry, host: "press-line-4") == text)
        #expect(
            SyslogMessage.frame(entry, host: "press-line-4")
                == Array("\(text.utf8.count) \(text)".utf8))
    }

    @Test("behaviour 6.4: each kind has its rank; a clock that cannot be right is none")
    func ranks() throws {
        let ranks = try Event.Kind.allCases.map { kind in
            "\(kind.rawValue) "
                + SyslogMessage.text(try entry(Event(kind, "x"), milliseconds: 5), host: "h")
                .prefix { $0 != "h" }
        }
        #expect(
            ranks == [
                "start <29>1 - ", "stop <29>1 - ", "config <85>1 - ", "uplink <29>1 - ",
                "switch <85>1 - ", "vpn <85>1 - ", "security <84>1 - ", "cloud <29>1 - ",
                "recorder <28>1 - ", "machine <30>1 - ", "log <28>1 - ",
            ])
        let wrapped = try entry(Event(.log, "x"), number: 2_147_483_648)
        #expect(SyslogMessage.text(wrapped, host: "h").contains("[meta sequenceId=\"1\"]"))
    }

    @Test("behaviour 6.4: what an event quotes ends neither its field nor its line")
    func escapes() throws {
        let hostile = "a\"] [x y=\"\\\n<13>1 - - - - - - forged\r\u{0}\u{1b}[2J"
        let text = SyslogMessage.text(
            try entry(Event(.security, who: hostile, hostile)), host: "h")
        #expect(!text.unicodeScalars.contains { $0.value < 32 || $0.value == 127 })
        #expect(text.contains("who=\"a\\\"\\] [x y=\\\"\\\\ <13>1"))
        // As a reader takes it apart: a value ends at the first quotation mark without a backslash.
        let rest = text.split(separator: "who=\"", maxSplits: 1)[1]
        var value = ""
        var isEscaped = false
        for letter in rest {
            if !isEscaped, letter == "\"" { break }
            if !isEscaped, letter == "\\" {
                isEscaped = true
                continue
            }
            isEscaped = false
            value.append(letter)
        }
        #expect(value == "a\"] [x y=\"\\ <13>1 - - - - - - forged   [2J")
    }

    @Test("behaviour 6.4: what was given up before it was sent is counted once")
    func progress() throws {
        var progress = SyslogProgress(sent: 10)
        let known = try #require(SyslogProgress(file: "10\n"))
        #expect(known == progress && progress.file == Array("10\n".utf8))
        for text in ["", "ten\n", "-1\n", "99999999999999999999\n"] {
            #expect(SyslogProgress(file: text) == nil)
        }
        let (level, behind) = (progress.isBehind(newest: 10), progress.isBehind(newest: 500))
        #expect(!level && behind)
        let lost = [11, 101, 101].map { progress.begins(at: $0) }
        #expect(lost == [0, 90, 0])
        progress.delivered(through: 500)
        // The log was begun anew.
        let (done, anew) = (progress.isBehind(newest: 500), progress.isBehind(newest: 3))
        #expect(!done && anew && progress.sent == 0)
        // A server that had nothing yet has lost nothing.
        let first = progress.begins(at: 40)
        #expect(first == 0 && progress.sent == 39)
    }
}
