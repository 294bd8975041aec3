import Base
import Logging
import TestSupport
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
        let lost = [[11, 12], [101], [101, 103]].map { progress.delivered($0) }
        #expect(lost == [0, 88, 1])
        let unreadable = progress.passOver(through: 500)
        #expect(unreadable == 397 && progress.sent == 500)
        // The log was begun anew.
        let (done, anew) = (progress.isBehind(newest: 500), progress.isBehind(newest: 3))
        #expect(!done && anew && progress.sent == 0)
        // A server that had nothing yet has lost nothing.
        let first = progress.delivered([40, 41])
        #expect(first == 0 && progress.sent == 41)
    }
}

/// The service's view of the log's files.
@Suite("Syslog and the event log")
struct SyslogFilesTests {
    @Test("behaviour 6.4: the log is read about a file at a time, from where the server is")
    func fileByFile() async throws {
        let folder = try TemporaryFolder()
        let log = EventLogService(
            store: EventFiles(directory: folder.path, fileBytesMax: 4096), boot: "b",
            time: {
                Timestamp(monotonic: Instant(nanoseconds: 0), wall: WallTime(milliseconds: 0))
            }, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        for number in 1...60 { await log.record([Event(.log, "event \(number)")]) }
        let newest = await log.newest
        #expect(newest == 60)
        var progress = SyslogProgress(sent: 0)
        var rounds = 0
        while progress.isBehind(newest: newest) {
            let lines = try EventFiles.read(folder.path, after: progress.sent, enough: 1)
            var numbers: [UInt64] = []
            for case .entry(let entry) in lines { numbers.append(entry.number) }
            try #require(!numbers.isEmpty && numbers.count < 30)
            let lost = progress.delivered(numbers)
            #expect(lost == 0)
            rounds += 1
        }
        #expect(rounds > 2)
    }
}
