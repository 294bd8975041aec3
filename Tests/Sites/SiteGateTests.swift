import Base
import Linux
import Site
import Testing

@Suite("sites: the gate", .serialized, .enabled(if: Programs.obstacles().isEmpty))
struct SiteGateTests {
    @Test("with the key off nothing passes, either way, while the daemon is killed and restarted")
    func restarts() async throws {
        var options = SiteOptions()
        options.keySwitch = .off
        let result = try await Site.with(options) { site in
            try await RestartBench(site).run(restarts: 10, seed: 3)
        }
        #expect(result.sentInward > 1000 && result.sentOutward > 1000)
        #expect(result.passedInward == 0 && result.passedOutward == 0)
    }

    @Test("a killed daemon closes the gate at once, a hung one within the lease")
    func cuts() async throws {
        let results = try await Site.with { site in
            var results: [GateBench.Result] = []
            try await GateBench(site).run([.key, .kill, .pause], count: 3) { results.append($0) }
            return results
        }
        // A loaded machine stretches what the benchmark measures; the lease does not stretch.
        #expect(results[0].percentile(0.5) < .milliseconds(20))
        #expect(results[1].percentile(0.5) < .milliseconds(200))
        #expect(results[2].percentile(1) < .milliseconds(600))
    }
}
