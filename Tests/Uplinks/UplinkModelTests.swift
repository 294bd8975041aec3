import Base
import Testing
import Uplinks

/// All short histories, against a reference that knows nothing of states: it reads the whole history each time.
@Suite("Uplink monitor, exhaustively")
struct UplinkModelTests {
    enum Event: CaseIterable, Sendable {
        case answered, lost, late
    }

    /// What a history of probes must have led to, from the definition alone.
    struct Reference {
        let failures: Int
        let successes: Int
        private var history: [Event] = []
        private(set) var isUp = false
        private(set) var isJudged = false
        /// Whether anything was heard since it was last declared down.
        private var wasHeard = false

        init(failures: Int, successes: Int) {
            self.failures = failures
            self.successes = successes
        }

        /// The standing after one more event.
        mutating func append(_ event: Event) -> UplinkMonitor.Standing {
            history.append(event)
            // A late answer was a loss first: its healing comes after the verdict on the loss.
            let lossesBefore = history.dropLast().reversed().prefix { $0 == .lost }.count
            let isLoss = event != .answered
            if isLoss && lossesBefore + 1 >= failures {
                isUp = false
                isJudged = true
                wasHeard = false
            }
            if event == .late {
                wasHeard = true
                if !isJudged {
                    isUp = true
                    isJudged = true
                }
            }
            if event == .answered {
                wasHeard = true
                let run = history.reversed().prefix { $0 == .answered }.count
                if !isJudged || run >= successes { isUp = true }
                isJudged = true
            }
            if isUp { return .up }
            if !isJudged { return .doubtful }
            return wasHeard ? .recovering : .down
        }
    }

    @Test(
        "answered or lost, up to twelve probes",
        arguments: [(1, 1), (3, 5), (2, 3), (4, 1), (3, 2)]
    )
    func twoOutcomes(failures: Int, successes: Int) throws {
        let seen = try explore([.answered, .lost], depth: 12, failures, successes)
        #expect(seen == (1 << 13) - 2)
    }

    @Test(
        "answered, lost or late, up to eight probes", arguments: [(1, 1), (3, 5), (2, 3), (3, 1)])
    func threeOutcomes(failures: Int, successes: Int) throws {
        let seen = try explore(Event.allCases, depth: 8, failures, successes)
        #expect(seen == 9840)
    }

    /// Walks all histories; returns how many there were.
    private func explore(
        _ events: [Event], depth: Int, _ failures: Int, _ successes: Int
    ) throws -> Int {
        var seen = 0
        func walk(
            _ uplink: MonitorDialogue, _ reference: Reference, _ history: [Event]
        ) throws {
            guard history.count < depth else { return }
            for event in events {
                var uplink = uplink
                var reference = reference
                switch event {
                case .answered: try uplink.answered()
                case .lost: try uplink.lost()
                case .late: try uplink.answeredLate()
                }
                let expected = reference.append(event)
                try #require(
                    uplink.monitor.standing == expected, "after \(history + [event])")
                seen += 1
                try walk(uplink, reference, history + [event])
            }
        }
        try walk(
            MonitorDialogue(failures: failures, successes: successes),
            Reference(failures: failures, successes: successes), [])
        return seen
    }
}
