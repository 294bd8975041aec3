import Base
import Linux
import Testing

@testable import Site

@Suite(
    "Back after a time offline", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(2)))
struct BacklogTests {
    @Test(
        "behaviour 7.1: half an hour offline, the link cut once more: live at once, all of it, in order"
    )
    func cutInTheMiddle() async throws {
        try await Site.with { try await cutInTheMiddle(in: $0) }
    }

    private func cutInTheMiddle(in site: Site) async throws {
        let outcome = try await BacklogRun(offline: .seconds(1800), cuts: 1).play(in: site)
        #expect(outcome.recorded == 12_600)
        #expect(outcome.missing == 0)
        #expect(outcome.outOfOrder == 0)
        #expect(outcome.untilLive.count == 2)
        // A released daemon takes 40 MB in all (bench/backlog.sh); this one has debug code and its own share only.
        #expect((1_000_000...25_000_000).contains(outcome.memory.anonymous.bytes))
        // Two seconds on a quiet machine (bench/backlog.sh); what comes on top is the noise of a shared one.
        for time in outcome.untilLive { #expect(time < .seconds(4), "\(Figure.time(time))") }
        #expect(outcome.liveMedian < .seconds(1), "\(Figure.time(outcome.liveMedian))")
    }
}
