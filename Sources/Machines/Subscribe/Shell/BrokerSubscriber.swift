import Base
import Linux
import Logging
import Settings
import Synchronization

/// Keeps one session to a broker of the machine network, and records what it publishes.
actor BrokerSubscriber {
    private let broker: Settings.Subscription
    private let device: String
    private let sink: @Sendable ([Reading]) async throws -> Void
    private let clock: any MonotonicClock
    private let wall: @Sendable () -> WallTime
    private let logger: Logger
    private var tags: SubscribedTags
    private var budget: MessageBudget
    private var backoff = Backoff(shortest: Limits.backoffMin, longest: Limits.backoffMax)
    private var random = SystemRandomNumberGenerator()
    private var sinkHasFailed = false
    private var wasReachable: Bool?

    /// Read by others at any time.
    private nonisolated let shared: Mutex<(status: MachineStatus, rate: MinuteCount)>

    init(
        _ broker: Settings.Subscription, device: String,
        sink: @escaping @Sendable ([Reading]) async throws -> Void, clock: any MonotonicClock,
        wall: @escaping @Sendable () -> WallTime, logger: Logger
    ) {
        self.broker = broker
        self.device = device
        self.sink = sink
        self.clock = clock
        self.wall = wall
        self.logger = logger
        tags = SubscribedTags(broker)
        budget = MessageBudget(at: clock.now())
        let status = MachineStatus(
            name: broker.name, address: "mqtt://\(broker.address):\(broker.port)")
        shared = Mutex((status, MinuteCount()))
    }

    nonisolated func status() -> MachineStatus {
        let now = clock.now()
        return shared.withLock { shared in
            shared.status.valuesPerMinute = shared.rate.total(at: now)
            return shared.status
        }
    }

    private func note(_ change: (inout MachineStatus) -> Void) {
        shared.withLock { change(&$0.status) }
    }

    /// Listens until it is cancelled; a broker that does not answer is dialled again with a growing pause.
    func run() async {
        while !Task.isCancelled {
            let begun = clock.now()
            let why = await session()
            if Task.isCancelled { break }
            await lost(why)
            if clock.now() - begun >= Limits.brokerStableAfter { backoff.reset() }
            try? await clock.sleep(until: clock.now() + backoff.failed(using: &random))
        }
        note { $0.isConnected = false }
    }

    /// From the first packet to the last; returns why it ended.
    private func session() async -> String {
        let connection: MQTTConnection
        do {
            connection = try MQTTConnection(try options())
        } catch {
            return "\(error)"
        }
        defer { connection.abort() }
        for await _ in connection.wakeUps {
            note { $0.missed += connection.takeLost() }
            var readings: [Reading] = []
            for event in connection.takeEvents() {
                switch event {
                case .connected: connected()
                case .received(let message): readings += received(message)
                case .notSubscribed(let topic): refused("the broker does not give us \(topic)")
                case .acknowledged: break
                case .closed(let trouble):
                    await record(readings)
                    return trouble?.text(connection.options) ?? "closed"
                }
            }
            await record(readings)
        }
        return "closed"
    }

    /// Its address needs no resolver. The password is read anew each time, and forgotten with the session.
    private func options() throws(SecretFile.Problem) -> MQTTOptions {
        var options = MQTTOptions(
            host: "\(broker.address)", port: broker.port,
            clientID: "drawbridge-\(device)-\(broker.name)", identity: nil,
            subscriptions: tags.topics)
        options.receivedMax = Limits.subscribedWaitingMax
        options.receivedBytesMax = Limits.subscribedBytesMax
        guard let user = broker.user else { return options }
        let password: String? =
            if let file = broker.passwordFile {
                String(
                    decoding: try SecretFile.line(file, bytesMax: Limits.brokerPasswordBytesMax),
                    as: UTF8.self)
            } else {
                nil
            }
        options.login = MQTTLogin(user: user, password: password)
        return options
    }

    private func connected() {
        note {
            $0.isConnected = true
            $0.reason = nil
        }
        guard wasReachable != true else { return }
        wasReachable = true
        logger.notice("broker connected", metadata: ["broker": "\(broker.name)"])
    }

    private func received(_ message: MQTTMessage) -> [Reading] {
        let now = clock.now()
        guard budget.take(at: now) else {
            note { $0.missed += 1 }
            return []
        }
        let time = Timestamp(monotonic: now, wall: wall())
        let outcome = tags.received(
            topic: message.topic, payload: message.payload, isRetained: message.isRetained,
            at: time)
        shared.withLock { shared in
            shared.rate.add(outcome.values, at: now)
            shared.status.polls += UInt64(outcome.values)
            shared.status.lastAnswer = time
        }
        outcome.refused.forEach(refused)
        return outcome.readings
    }

    /// Counted, told with the last one's reason, and not recorded.
    private func refused(_ why: String) {
        note {
            $0.errors += 1
            $0.reason = why
        }
        logger.debug(
            "message refused", metadata: ["broker": "\(broker.name)", "reason": "\(why)"])
    }

    private func lost(_ why: String) async {
        note {
            $0.isConnected = false
            $0.errors += 1
            $0.reason = why
        }
        if wasReachable != false {
            wasReachable = false
            logger.notice(
                "broker unreachable",
                metadata: ["broker": "\(broker.name)", "reason": "\(why)"])
        }
        await record(tags.allFailed(at: Timestamp(monotonic: clock.now(), wall: wall())))
    }

    private func record(_ readings: [Reading]) async {
        guard !readings.isEmpty else { return }
        do {
            try await sink(readings)
            if sinkHasFailed {
                logger.notice(
                    "readings are recorded again", metadata: ["broker": "\(broker.name)"])
            }
            sinkHasFailed = false
        } catch {
            note { $0.unrecorded += UInt64(readings.count) }
            if !sinkHasFailed {
                logger.warning(
                    "readings are not recorded",
                    metadata: ["broker": "\(broker.name)", "reason": "\(error)"])
            }
            sinkHasFailed = true
        }
    }
}
