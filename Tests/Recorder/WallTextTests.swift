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
