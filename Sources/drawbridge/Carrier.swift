import Base
import Settings
import Synchronization

/// Which uplink carries, and what old records may take on it; the cloud waits for the first one.
final class Carrier: Sendable {
    private struct State {
        var uplinks: [Settings.Uplink]
        var name: String?
        /// Opened once one has carried.
        var begun = Latch()

        /// Bytes a second.
        var budget: Int? {
            uplinks.first { $0.name == name }.map { Int($0.backlogBudget.bytes) }
        }
    }

    private let state: Mutex<State>

    init(_ uplinks: [Settings.Uplink]) {
        state = Mutex(State(uplinks: uplinks))
    }

    /// Bytes a second that old records may take now; nil before the first uplink carries.
    var budget: Int? { state.withLock { $0.budget } }

    /// Another uplink carries, or the same one again; `isFirst`: none did before. No budget: a changed config does
    /// not know that uplink any more, and another will be chosen.
    func carries(_ name: String) -> (isFirst: Bool, budget: Int?) {
        state.withLock { state in
            let isFirst = state.name == nil
            state.name = name
            return (isFirst, state.budget)
        }
    }

    func change(_ uplinks: [Settings.Uplink]) {
        state.withLock { $0.uplinks = uplinks }
    }

    /// Lets those go on who wait.
    func begin() {
        state.withLock { $0.begun }.open()
    }

    /// None does any more, and whoever waits from now on waits for the next.
    func end() {
        let last = state.withLock { state in
            state.name = nil
            defer { state.begun = Latch() }
            return state.begun
        }
        last.open()
    }

    /// Returns once an uplink has carried.
    func wait() async {
        await state.withLock { $0.begun }.wait()
    }
}
