package import Base
import Synchronization

/// A moment to wait for that may be moved, earlier or later, while somebody waits for it: nobody wakes for one that is given up.
///
/// Moments are those of `SystemClock`.
package final class Alarm: Sendable {
    private struct State {
        var due = Alarm.never
        /// Who waits, as the reactor knows him.
        var sleeper: UInt64?
    }

    /// Some 146 years after boot.
    private static let never = Instant(nanoseconds: .max / 2)

    private let reactor = Reactor.shared
    private let state = Mutex(State())

    package init() {}

    /// Rings at a moment; nil: not at all, until it is set again.
    package func set(_ moment: Instant?) {
        let due = moment ?? Self.never
        let sleeper = state.withLock { state -> UInt64? in
            guard state.due != due else { return nil }
            state.due = due
            return state.sleeper
        }
        if let sleeper { reactor.move(sleeper) { state.withLock { $0.due } } }
    }

    /// Returns once the moment that was set last has come; throws `CancellationError` when the task is cancelled before.
    ///
    /// One may wait at a time. Until it is set anew it rings at once. It may also ring for a moment that is given up just then.
    package func wait() async throws {
        let id = reactor.makeID()
        state.withLock { $0.sleeper = id }
        defer { state.withLock { $0.sleeper = nil } }
        try await reactor.sleep(id) { state.withLock { $0.due } }
    }
}
