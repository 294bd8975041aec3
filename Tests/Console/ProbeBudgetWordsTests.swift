import Testing

@testable import Console

@Suite("Words for the probes' budget")
struct ProbeBudgetWordsTests {
    private func words(_ used: Int64, of budget: Int64, every milliseconds: Double) -> String? {
        var uplink = StatusDocument.Uplink(name: "lte")
        uplink.probeBytesUsed = used
        uplink.probeBytesBudget = budget
        uplink.probeIntervalMilliseconds = milliseconds
        return ProbeBudgetWords.sentence(uplink)
    }

    @Test("what was taken, of what, and how often it is probed for that")
    func sentence() {
        #expect(
            words(1_234_567, of: 5_000_000, every: 20_100)
                == "probes took 1.2 of 5 MB this month, one every 20 s")
        #expect(
            words(72, of: 2_500_000_000, every: 250)
                == "probes took 0 of 2.5 GB this month, one every 250 ms")
        #expect(
            words(5_000_001, of: 5_000_000, every: 300_000)
                == "probes took 5 of 5 MB this month, which is all, one every 5 min")
        #expect(words(.max, of: 5_000_000, every: 1_000)?.hasPrefix("probes took 92") == true)
        #expect(ProbeBudgetWords.sentence(StatusDocument.Uplink(name: "office")) == nil)
    }

    @Test("the uplinks' screen tells it")
    func screen() {
        #expect(
            UplinksText.render(goodDay()).contains(
                "  probes took 1.2 of 5 MB this month, one every 20 s\n"))
    }
}
