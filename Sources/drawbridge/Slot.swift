import Base
import Linux
import Logging
import ServiceLifecycle
import Synchronization

/// A place in the house for one room: the room was built for a part of the settings, and another one moves in when
/// a config file wants that part otherwise, or when the one that lived there has failed.
///
/// The place itself stays, and with it the order of trust in which the house begins and ends.
final class Slot<Part: Equatable & Sendable, Tenant: Sendable>: Service {
    /// One tenant's time.
    private final class Stay: Sendable {
        let part: Part
        let tenant: Tenant
        /// Opened when it is to go.
        let notice = Latch()
        /// Opened when it has gone.
        let end = Latch()

        init(_ part: Part, _ tenant: Tenant) {
            self.part = part
            self.tenant = tenant
        }
    }

    private let name: String
    private let pauses: Backoff
    private let logger: Logger
    private let remake: @Sendable (Part) throws -> Tenant
    private let body: @Sendable (Tenant) async throws -> Void
    private let clock = SystemClock()
    private let state: Mutex<State>

    private struct State {
        /// Whose place it is now.
        var stay: Stay
        /// Who has begun to live there, and since when; another one until that one has gone.
        var begun: Stay?
        var since: Instant?
        var failure: RoomFailure?
    }

    /// `remake` builds another tenant for the same part, after one has failed.
    init(
        _ name: String, _ part: Part, _ tenant: Tenant, logger: Logger,
        pauses: Backoff = Backoff(shortest: .seconds(1), longest: .seconds(60)),
        remake: @escaping @Sendable (Part) throws -> Tenant,
        body: @escaping @Sendable (Tenant) async throws -> Void
    ) {
        self.name = name
        self.pauses = pauses
        self.logger = logger
        self.remake = remake
        self.body = body
        state = Mutex(State(stay: Stay(part, tenant)))
    }

    /// The room that lives here now.
    var tenant: Tenant { current.tenant }
    var part: Part { current.part }

    private var current: Stay { state.withLock { $0.stay } }

    /// Why the room does not work; nil: it does, and has for `RoomFailure.settledAfter`.
    var failure: RoomFailure? {
        let now = clock.now()
        return state.withLock { state in
            let lives = state.since.map { now - $0 >= RoomFailure.settledAfter } ?? false
            return lives ? nil : state.failure
        }
    }

    /// Goes on until the group is told to end, whatever becomes of the tenants.
    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await self.live() }
        } catch is CancellationError {
            return
        }
    }

    /// Ends the room that lives here, waits for its end, and begins the next.
    func move(_ part: Part, _ tenant: Tenant) async {
        let next = Stay(part, tenant)
        let (last, hasBegun) = state.withLock { state in
            let last = state.stay
            state.stay = next
            state.failure = nil
            return (last, state.begun === last)
        }
        last.notice.open()
        guard hasBegun else { return }
        await last.end.wait()
    }

    /// Has the same room begin anew, for the same part.
    func renew() async throws {
        let last = current
        let tenant = try remake(last.part)
        // Somebody else has moved in meanwhile: that is as new.
        guard current === last else { return }
        await move(last.part, tenant)
    }

    private func live() async throws {
        var pauses = pauses
        while !Task.isCancelled {
            let stay = begin()
            let begun = clock.now()
            let cause = await serve(stay)
            stay.end.open()
            guard let cause else { continue }
            if clock.now() - begun >= RoomFailure.forgottenAfter { pauses.reset() }
            try await replace(stay, cause, &pauses)
        }
    }

    private func begin() -> Stay {
        let now = clock.now()
        return state.withLock { state in
            state.begun = state.stay
            state.since = now
            return state.stay
        }
    }

    /// Returns when the tenant has gone, and why if it went by itself.
    private func serve(_ stay: Stay) async -> (any Error)? {
        await withTaskGroup(of: Result<Bool, any Error>.self) { group in
            group.addTask {
                do {
                    try await self.body(stay.tenant)
                    return .success(false)
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                await stay.notice.wait()
                return .success(true)
            }
            let first = await group.next()
            group.cancelAll()
            // What it still has to say is of no consequence: it was asked to go.
            await group.waitForAll()
            guard !Task.isCancelled else { return nil }
            switch first {
            case .success(true), nil: return nil
            case .success(false): return EndedEarly()
            case .failure(let error): return error
            }
        }
    }

    /// Builds another tenant for a part whose tenant has failed, when it is time; returns at once when somebody else
    /// is to move in.
    private func replace(_ stay: Stay, _ first: any Error, _ pauses: inout Backoff) async throws {
        var (cause, generator) = (first, SystemRandomNumberGenerator())
        while current === stay {
            let pause = pauses.failed(using: &generator)
            note(RoomFailure(room: name, cause: "\(cause)", retryAt: clock.now() + pause), of: stay)
            try await wait(pause, orNotice: stay)
            do {
                let next = Stay(stay.part, try remake(stay.part))
                state.withLock { if $0.stay === stay { $0.stay = next } }
            } catch {
                cause = error
            }
        }
    }

    private func note(_ failure: RoomFailure, of stay: Stay) {
        let isNews = state.withLock { state in
            guard state.stay === stay else { return false }
            state.since = nil
            defer { state.failure = failure }
            return state.failure?.cause != failure.cause
        }
        // Once, not with every attempt.
        guard isNews else { return }
        logger.error(
            "room failed, and is begun anew",
            metadata: ["room": "\(name)", "error": "\(failure.cause)"]
        )
    }

    private func wait(_ pause: Duration, orNotice stay: Stay) async throws {
        let end = clock.now() + pause
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [clock] in try? await clock.sleep(until: end) }
            group.addTask { await stay.notice.wait() }
            await group.next()
            group.cancelAll()
        }
        try Task.checkCancellation()
    }
}

/// A room that cannot go on. The others do, what is closed stays closed, and it is begun anew.
struct RoomFailure: Error, CustomStringConvertible {
    let room: String
    let cause: String
    /// When it is begun anew; nil: not before the daemon is.
    var retryAt: Instant?

    /// One that has lived for so long after a failure counts as sound.
    static let settledAfter = Duration.seconds(2)
    /// After so long the next failure is the first.
    static let forgottenAfter = Duration.seconds(60)

    var description: String { "\(room): \(cause)" }
}

struct EndedEarly: Error, CustomStringConvertible {
    let description = "ended by itself"
}
