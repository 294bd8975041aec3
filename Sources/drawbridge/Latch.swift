import Synchronization

/// A door that opens once: whoever waits goes on, and whoever comes later does not wait.
///
/// Each waiter has a stream of its own: a stream that several wait for ends for all when one of them is cancelled.
final class Latch: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [Int: AsyncStream<Never>.Continuation] = [:]
        var last = 0
    }

    private let state = Mutex(State())

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for waiter in waiting { waiter.finish() }
    }

    /// Returns once it is open, or when the task is cancelled.
    func wait() async {
        guard let (number, opening) = enter() else { return }
        for await _ in opening {}
        state.withLock { $0.waiting[number] = nil }
    }

    private func enter() -> (Int, AsyncStream<Never>)? {
        state.withLock { state in
            guard !state.isOpen else { return nil }
            let (stream, continuation) = AsyncStream<Never>.makeStream()
            state.last += 1
            state.waiting[state.last] = continuation
            return (state.last, stream)
        }
    }
}
