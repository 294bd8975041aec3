import Base
import Testing
import Uplinks

/// All short histories with bursts, against a reference that reads the whole history each time.
@Suite("Suspicion, exhaustively")
struct SuspicionModelTests {
    /// What becomes of a regular probe, and of the burst if there is one.
    enum Event: CaseIterable, Sendable {
        case answered
        /// After its time-out, before a verdict; no other is answered.
        case late
        /// Only the last probe of the burst is answered.
        case glimpsed
        case silent
    }

    /// What a history must have led to, from the definition alone; N is more than a burst takes.
    struct Reference {
        let failures: Int
        let successes: Int
        private var history: [Event] = []
        /// The verdict, nil before there is one.
        private var isUp: Bool?
        private var wasHeard = false

        init(failures: Int, successes: Int) {
            self.failures = failures
            self.successes = successes
        }

        mutating func append(_ event: Event) -> UplinkMonitor.Standing {
            history.append(event)
            if isUp != false {
                // Trusted: one answer of any kind is enough, and complete silence is a verdict.
                isUp = event != .silent
                wasHeard = false
                return isUp == true ? .up : .down
            }
            // Not trusted, so without bursts.
            let losses = history.reversed().prefix { $0 == .silent || $0 == .glimpsed }.count
            let answers = history.reversed().prefix { $0 == .answered }.count
            switch event {
            case .answered:
                wasHeard = true
                if answers >= successes { isUp = true }
            case .late:
                wasHeard = true
            case .silent, .glimpsed:
                if losses >= failures { wasHeard = false }
            }
            return isUp == true ? .up : wasHeard ? .recovering : .down
        }
    }

    @Test("up to seven probes", arguments: [(3, 5), (2, 3), (4, 1), (2, 2)])
    func histories(failures: Int, successes: Int) throws {
        var seen = 0
        func walk(_ uplink: BurstDialogue, _ reference: Reference, _ history: [Event]) throws {
            guard history.count < 7 else { return }
            for event in Event.allCases {
                var uplink = uplink
                var reference = reference
                try play(event, &uplink)
                let expected = reference.append(event)
                try #require(
                    uplink.monitor.standing == expected, "after \(history + [event])")
                seen += 1
                try walk(uplink, reference, history + [event])
            }
        }
        try walk(
            BurstDialogue(failures: failures, successes: successes),
            Reference(failures: failures, successes: successes), [])
        #expect(
            seen
                == (1...7).reduce(0) { total, depth in
                    total + (0..<depth).reduce(1) { n, _ in n * 4 }
                })
    }

    /// The next regular probe and its burst, to their end, which is before the regular one after it.
    private func play(_ event: Event, _ uplink: inout BurstDialogue) throws {
        _ = uplink.probes()
        var number = -1
        uplink.answer = { _ in
            number += 1
            switch event {
            case .answered: return BurstDialogue.rtt
            case .late: return number == 0 ? .milliseconds(700) : nil
            case .glimpsed: return number == 11 ? BurstDialogue.rtt : nil
            case .silent: return nil
            }
        }
        try uplink.runToNextProbe()
        try uplink.run(for: .seconds(2))
        uplink.answer = { _ in nil }
    }
}
