import ServiceLifecycle
import Synchronization

/// A place in the house for one room: the room was built for a part of the settings, and another one moves in when
/// a config file wants that part otherwise.
///
/// The place itself stays, and with it the order of trust in which the house begins and ends.
final class Slot<Part: Equatable & Sendable, Tenant: Sendable>: Service {
    /// One tenant's time.
    private final class Stay: Sendable {
        let part: Part
        let tenant: Tenant
        /// Finished when it is to go.
        let notice = AsyncStream<Never>.makeStream()
        /// Finished when it has gone.
        let end = AsyncStream<Never>.makeStream()

        init(_ part: Part, _ tenant: Tenant) {
            self.part = part
            self.tenant = tenant
        }
    }

    private let name: String
    private let body: @Sendable (Tenant) async throws -> Void
    private let state: Mutex<State>

    private struct State {
        /// Whose place it is now.
        var stay: Stay
        /// Who has begun to live there; another one until that one has gone.
        var begun: Stay?
    }

    init(
        _ name: String, _ part: Part, _ tenant: Tenant,
        body: @escaping @Sendable (Tenant) async throws -> Void
    ) {
        self.name = name
        self.body = body
        state = Mutex(State(stay: Stay(part, tenant)))
    }

    /// The room that lives here now.
    var tenant: Tenant { current.tenant }
    var part: Part { current.part }

    private var current: Stay { state.withLock { $0.stay } }

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await self.live() }
        } catch is CancellationError {
            return
        } catch {
            throw RoomFailure(room: name, cause: "\(error)")
        }
    }

    /// Ends the room that lives here, waits for its end, and begins the next.
    func move(_ part: Part, _ tenant: Tenant) async {
        let next = Stay(part, tenant)
        let (last, hasBegun) = state.withLock { state in
            let last = state.stay
            state.stay = next
            return (last, state.begun === last)
        }
        last.notice.continuation.finish()
        guard hasBegun else { return }
        for await _ in last.end.stream {}
    }

    private func live() async throws {
        while !Task.isCancelled {
            let stay = state.withLock { state in
                state.begun = state.stay
                return state.stay
            }
            defer { stay.end.continuation.finish() }
            try await serve(stay)
        }
    }

    /// Returns when the tenant has gone; throws when it went by itself.
    private func serve(_ stay: Stay) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await self.body(stay.tenant)
                return false
            }
            group.addTask {
                for await _ in stay.notice.stream {}
                return true
            }
            let wasTold = try await group.next() ?? true
            group.cancelAll()
            if wasTold {
                // What it still has to say is of no consequence: it was asked to go.
                while let _ = await group.nextResult() {}
            } else if !Task.isCancelled {
                throw EndedEarly()
            }
        }
    }
}

struct EndedEarly: Error, CustomStringConvertible {
    let description = "ended by itself"
}
