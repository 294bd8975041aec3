import Base
import Recorder
import Testing

@Suite("Wall times as texts")
struct WallTextTests {
    @Test(
        "known moments, leap days among them",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (1_795_264_200_250, "2026-11-21T12:30:00.250Z"),
        ])
    func known(milliseconds: Int64, text: String) {
        #expect(WallText.format(WallTime(milliseconds: milliseconds)) == text)
        #expect(WallText.parse(text) == WallTime(milliseconds: milliseconds))
    }

    @Test("a clock that was never set is written, and no time to ask for")
    func beforeTheEpoch() {
        #expect(WallText.format(WallTime(milliseconds: -1)) == "1969-12-31T23:59:59.999Z")
        #expect(WallText.parse("1969-12-31T23:59:59.999Z") == nil)
    }

    @Test("what is written is read again, over a hundred years")
    func thereAndBack() {
        for step in Int64(0)..<5000 {
            let time = WallTime(milliseconds: step * 631_139_041)
            #expect(WallText.parse(WallText.format(time)) == time)
        }
    }
}

@Suite("Records as texts")
struct RecordTextTests {
    private func record(_ value: String) -> Record {
        var reading = reading(1, source: "line-broker")
        reading.value = .string(value)
        return Record(sequence: 7, bootID: bootID, reading: reading)
    }

    @Test(
        "a text that a machine sent stays within its cell, also with a combining mark behind its quote"
    )
    func forgedRow() {
        let forged =
            "x\"\u{301}\n812,2026-11-21T12:30:00.000Z,plc-1,oven.temperature,999,true,false\ny"
        let row = RecordText.csv(record(forged)).unicodeScalars
        // Within the quoted cell every quote is doubled: an even number of them in all.
        #expect(row.count(where: { $0 == "\"" }) == 4)
        #expect(row.contains("\u{301}"))
    }

    @Test("a text that a machine sent neither splits a line for people nor steers their terminal")
    func terminal() {
        let line = RecordText.line(record("x\u{1b}[2J\ny\u{202e}"))
        #expect(line.hasSuffix("x [2J y "))
    }
}
