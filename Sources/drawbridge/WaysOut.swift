import Synchronization

/// Whether the key has cut the uplinks: while it has, keep-alives and the cloud session do not run.
///
/// The kernel has cut them before (`GateLease`); this only spares the rooms the vain attempts, and the
/// status its riddles.
final class WaysOut: Sendable {
    private struct State {
        var isCut: Bool
        /// Finished when the uplinks are open again: one for each room that waits.
        var waiting: [AsyncStream<Never>.Continuation] = []
    }

    /// Each time that the uplinks were cut. One listener.
    let cuts: AsyncStream<Void>
    private let report: AsyncStream<Void>.Continuation
    private let state: Mutex<State>

    init(isCut: Bool) {
        state = Mutex(State(isCut: isCut))
        // One is as good as many: the rooms wait by themselves.
        (cuts, report) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    var isCut: Bool { state.withLock { $0.isCut } }

    func cut() {
        let isNew = state.withLock { state in
            defer { state.isCut = true }
            return !state.isCut
        }
        if isNew { report.yield() }
    }

    func open() {
        state.withLock { state in
            state.isCut = false
            for room in state.waiting { room.finish() }
            state.waiting = []
        }
    }

    /// Returns once the uplinks are open.
    func wait() async throws {
        while let opening = opening() {
            for await _ in opening {}
            try Task.checkCancellation()
        }
    }

    private func opening() -> AsyncStream<Never>? {
        state.withLock { state in
            guard state.isCut else { return nil }
            let (stream, continuation) = AsyncStream<Never>.makeStream()
            state.waiting.append(continuation)
            return stream
        }
    }
}
