import Base
import TestSupport
import Testing

@Suite("Back-off")
struct BackoffTests {
    @Test("it doubles with jitter, stays within its bounds, and begins anew")
    func doubles() {
        var generator = SeededGenerator(seed: 3)
        var backoff = Backoff(shortest: .seconds(1), longest: .seconds(30))
        let waits = (0..<12).map { _ in backoff.failed(using: &generator) }
        for (index, wait) in waits.enumerated() {
            let step = min(15, 1 << min(index, 4))
            #expect(wait >= .seconds(step) && wait <= .seconds(2 * step))
        }
        #expect(Set(waits).count == waits.count, "no two alike")
        #expect(backoff.failures == 12)
        backoff.reset()
        #expect(backoff.failures == 0)
        #expect(backoff.failed(using: &generator) <= .seconds(2))
    }
}
