import Base
import Linux
import Logging
import Settings
import Synchronization

/// Polls one machine on a thread of its own, so that a dead one delays no other.
actor MachinePoller {
    nonisolated let executor: ThreadExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    private let machine: Settings.Machine
    private let sink: @Sendable ([Reading]) async throws -> Void
    private let clock: any MonotonicClock
    private let logger: Logger
    private var random: any RandomNumberGenerator & Sendable
    private var plan: PollPlan
    private var tags: TagStates
    private var backoff = Backoff(shortest: Limits.backoffMin, longest: Limits.backoffMax)
    private var client: ModbusClient?
    private var sinkHasFailed = false
    private var wasReachable: Bool?

    /// Read by others while this actor's thread is blocked.
    private let shared: Mutex<MachineStatus>
    nonisolated var status: MachineStatus { shared.withLock { $0 } }

    init(
        _ machine: Settings.Machine, sink: @escaping @Sendable ([Reading]) async throws -> Void,
        clock: any MonotonicClock, random: any RandomNumberGenerator & Sendable, logger: Logger
    ) {
        executor = ThreadExecutor(name: "modbus-" + machine.name)
        self.machine = machine
        self.sink = sink
        self.clock = clock
        self.random = random
        self.logger = logger
        plan = PollPlan(machine.tags.map(\.item), at: clock.now())
        tags = TagStates(machine: machine.name, tags: machine.states)
        shared = Mutex(
            MachineStatus(name: machine.name, address: machine.place))
    }

    /// Polls until it is cancelled; the end comes after at most one time-out.
    func run() async {
        while !Task.isCancelled {
            do {
                try await clock.sleep(until: plan.nextPoll ?? clock.now() + Limits.idle)
                try await poll()
            } catch let error as ModbusError {
                await lost(error)
                let pause = backoff.failed(using: &random)
                try? await clock.sleep(until: clock.now() + pause)
            } catch {
                break  // Cancelled: the normal end.
            }
        }
        client = nil
        shared.withLock { $0.isConnected = false }
    }

    private func poll() async throws {
        if client == nil {
            client = try ModbusClient(machine)
        }
        let (due, missed) = plan.takeDue(at: clock.now())
        shared.withLock { $0.missed += UInt64(missed) }
        guard !due.isEmpty else { return }
        let outcome = exchange(due)
        let readings = tags.polled(outcome.answers, at: outcome.time)
        if outcome.failure == nil { answered(at: outcome.time, refusal: outcome.refusal) }
        await record(readings)
        if let failure = outcome.failure { throw failure }
    }

    /// What one poll brought.
    private struct Outcome {
        /// In the order they came; nil for a tag that the machine refuses.
        var answers: [TagStates.Answer] = []
        /// Of the last answer.
        var time: Timestamp
        var refusal: ModbusError?
        /// Why the poll ended early: the connection is of no use any more.
        var failure: ModbusError?
    }

    private func exchange(_ due: [Int]) -> Outcome {
        var outcome = Outcome(time: timestamp())
        var reads = plan.reads(due)[...]
        while let read = reads.popFirst(), !Task.isCancelled {
            do throws(ModbusError) {
                let words = try answer(read)
                outcome.time = timestamp()
                for tag in read.tags {
                    let start = plan.items[tag].address - read.address
                    outcome.answers.append((tag, words[start..<start + plan.items[tag].count]))
                }
            } catch {
                guard error.isRefusal else {
                    outcome.failure = error
                    return outcome
                }
                outcome.time = timestamp()
                shared.withLock { $0.errors += 1 }
                if error.isUnknownAddress, plan.readRefused(read) {
                    reads = plan.reads(read.tags) + reads
                } else {
                    outcome.refusal = error
                    outcome.answers += read.tags.map { ($0, nil) }
                }
            }
        }
        return outcome
    }

    private func answer(_ read: PollPlan.Read) throws(ModbusError) -> [UInt16] {
        guard client != nil else { preconditionFailure("reading comes after connecting") }
        return try client?.read(read) ?? []
    }

    private func answered(at time: Timestamp, refusal: ModbusError?) {
        backoff.reset()
        shared.withLock { status in
            status.isConnected = true
            status.lastAnswer = time
            status.polls += 1
            status.reason = refusal?.description
        }
        guard wasReachable != true else { return }
        wasReachable = true
        logger.notice("machine connected", metadata: ["machine": "\(machine.name)"])
    }

    private func lost(_ error: ModbusError) async {
        client = nil
        shared.withLock { status in
            status.isConnected = false
            status.errors += 1
            status.reason = error.description
        }
        if wasReachable != false {
            wasReachable = false
            logger.notice(
                "machine unreachable",
                metadata: ["machine": "\(machine.name)", "reason": "\(error)"])
        }
        await record(tags.allFailed(at: timestamp()))
    }

    private func record(_ readings: [Reading]) async {
        guard !readings.isEmpty else { return }
        do {
            try await sink(readings)
            if sinkHasFailed {
                logger.notice(
                    "readings are recorded again", metadata: ["machine": "\(machine.name)"])
            }
            sinkHasFailed = false
        } catch {
            shared.withLock { $0.unrecorded += UInt64(readings.count) }
            if !sinkHasFailed {
                logger.warning(
                    "readings are not recorded",
                    metadata: ["machine": "\(machine.name)", "reason": "\(error)"])
            }
            sinkHasFailed = true
        }
    }

    private func timestamp() -> Timestamp {
        Timestamp(monotonic: clock.now(), wall: SystemClock().wall())
    }
}
