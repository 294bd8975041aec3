import Synchronization

/// Answers to probes between the sockets and the loop.
package final class Inbox: Sendable {
    /// Most answers on one uplink that wait; further ones are lost, as on the way.
    package static let answersMax = 256

    private let answers: Mutex<[[ProbeAnswer]]>

    package init(uplinks: Int) {
        answers = Mutex(Array(repeating: [], count: uplinks))
    }

    package func add(_ more: [ProbeAnswer], to uplink: Int) {
        answers.withLock { all in
            all[uplink] += more.prefix(Self.answersMax - all[uplink].count)
        }
    }

    /// Those that lie here, which then lie here no more.
    package func take(from uplink: Int) -> [ProbeAnswer] {
        answers.withLock { all in
            defer { all[uplink] = [] }
            return all[uplink]
        }
    }
}
