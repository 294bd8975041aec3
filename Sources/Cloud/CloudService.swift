package import Base
import Linux
package import Logging
package import Settings

/// Keeps one MQTT session to the cloud and delivers the ring over it.
package actor CloudService {
    private let endpoint: MQTTOptions
    private let records: any RecordSource
    private let clock: any MonotonicClock
    private let wall: @Sendable () -> WallTime
    private let logger: Logger
    private let limits: Limits

    private var speech: any PayloadSession
    private var delivery: Delivery
    private var pace: BacklogPace
    private var connectedSince: Instant?
    private var downSince: Instant
    private var reason = "not started"
    private var lastError: String?
    /// Attempts whose threads have not ended yet.
    private var attempts: [MQTTConnection] = []
    private var kickPending = false
    private var kick: AsyncStream<Void>.Continuation?
    /// Wake the lanes of the present connection.
    private var feeds: [Delivery.Lane: AsyncStream<Void>.Continuation] = [:]

    package init(
        settings: Settings.Cloud, device: String, machines: [Settings.Machine],
        records: any RecordSource, clock: any MonotonicClock,
        wall: @escaping @Sendable () -> WallTime, logger: Logger, limits: Limits = Limits()
    ) {
        let devices = machines.map { SparkplugSession.Device($0) }
        speech =
            switch settings.payload {
            case .sparkplug:
                SparkplugSession(
                    group: settings.group, node: device, devices: devices,
                    birthDeathSequence: UInt8.random(in: 0...255))
            case .json:
                JSONSession(
                    group: settings.group, node: device, devices: devices,
                    session: UInt64(UInt32.random(in: 0 ... .max)))
            }
        var endpoint = MQTTOptions(
            host: settings.broker.host.description, port: settings.broker.port.port,
            clientID: "\(settings.group)-\(device)",
            identity: MQTTIdentity(
                authority: settings.identity.authority,
                certificate: settings.identity.certificate, key: settings.identity.key),
            subscriptions: speech.commandTopic.map { [$0] } ?? [])
        endpoint.pins = settings.pins
        self.endpoint = endpoint
        delivery = Delivery(cursor: 0, limits: limits.delivery)
        pace = BacklogPace(budget: limits.backlogBudget, limits: limits.pace)
        downSince = clock.now()
        self.records = records
        self.clock = clock
        self.wall = wall
        self.logger = logger
        self.limits = limits
    }

    /// Runs until cancelled; says farewell to the broker then.
    package func run() async throws {
        delivery = Delivery(cursor: await records.cursor(), limits: limits.delivery)
        reason = "connecting to \(endpoint.url)"
        if let key = endpoint.identity?.key, let complaint = TLSPolicy.complaint(aboutKey: key) {
            logger.warning("private key is not private", metadata: ["reason": "\(complaint)"])
        }
        var pause = ReconnectPause(
            shortest: limits.backoffShortest, spread: limits.backoffSpread,
            longest: limits.backoffLongest)
        var generator = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            let ending = await session()
            let lasted = connectedSince.map { clock.now() - $0 } ?? .zero
            ended(ending)
            if Task.isCancelled { break }
            if lasted >= limits.stableAfter || ending == .kicked { pause.reset() }
            if ending != .kicked {
                await wait(pause.failed(lostSession: lasted > .zero, using: &generator))
            }
        }
        ended(.stopped)
    }

    /// The uplink changed: the present connection is dead, or on the wrong path. Connects anew at once.
    package func reconnect() {
        kickPending = true
        kick?.yield()
    }

    /// Another uplink carries: how many bytes a second the backlog may take beside live data.
    package func setBacklogBudget(_ bytesPerSecond: Int) {
        pace.uplinkChanged(budget: bytesPerSecond)
        for feed in feeds.values { feed.yield() }
    }

    package func status() async -> CloudStatus {
        let backlog = await records.backlog()
        return CloudStatus(
            isConnected: connectedSince != nil, since: connectedSince ?? downSince, reason: reason,
            delivered: delivery.delivered, inFlight: delivery.inFlight,
            backlog: backlog - min(backlog, delivery.confirmedAhead), lastError: lastError)
    }

    // MARK: one session

    private enum Ending: Error, Equatable {
        case stopped
        case kicked
        case failed(String)
    }

    /// From the first packet to the last; never throws, says how it ended.
    private func session() async -> Ending {
        attempts = attempts.filter { !$0.hasEnded }
        if attempts.count >= limits.abandonedMax {
            return .failed("\(endpoint.url): the system's name resolution hangs")
        }
        var options = endpoint
        let will = speech.connecting(at: wall())
        options.will = MQTTMessage(topic: will.topic, payload: will.payload)
        let connection: MQTTConnection
        do {
            connection = try MQTTConnection(options)
        } catch {
            return .failed("\(error)")
        }
        attempts.append(connection)
        let (live, backlog) = (feed(.live), feed(.backlog))
        let ending = await withTaskGroup { group in
            group.addTask { await self.receive(connection) }
            group.addTask { await self.send(.live, connection, live) }
            group.addTask { await self.send(.backlog, connection, backlog) }
            group.addTask { await self.watch() }
            group.addTask {
                await self.waitForKick()
                return Ending.kicked
            }
            let first = await group.next() ?? .stopped
            group.cancelAll()
            return first
        }
        feeds = [:]
        guard Task.isCancelled else {
            connection.abort()
            return ending
        }
        await farewell(connection)
        return .stopped
    }

    /// Carries in what happens on the connection.
    private func receive(_ connection: MQTTConnection) async -> Ending {
        for await _ in connection.wakeUps {
            var cursor: UInt64?
            var wantsBirths = false
            // What came before the end counts: the broker may confirm and close in one breath.
            var ending: Ending?
            for event in connection.takeEvents() {
                switch event {
                case .connected:
                    connected(newest: await records.newest())
                    wantsBirths = true
                case .acknowledged(let id):
                    pace.confirmed(id, at: clock.now())
                    cursor = delivery.acknowledged(id, at: clock.now()) ?? cursor
                case .received(let message):
                    let heard = CloudMessage(
                        topic: message.topic, payload: message.payload)
                    wantsBirths = speech.isRebirthRequest(heard) || wantsBirths
                case .notSubscribed(let topic):
                    logger.warning(
                        "broker refuses a subscription", metadata: ["topic": "\(topic)"])
                case .closed(let trouble):
                    ending = .failed(trouble?.text(endpoint) ?? "closed")
                }
            }
            if wantsBirths, ending == nil {
                for message in speech.births(at: wall()) { publish(message, 0, on: connection) }
            }
            for feed in feeds.values { feed.yield() }
            if let cursor {
                do {
                    try await records.acknowledge(through: cursor)
                } catch {
                    return .failed("cannot note what was delivered: \(error)")
                }
            }
            if let ending { return ending }
        }
        return .stopped
    }

    private func feed(_ lane: Delivery.Lane) -> AsyncStream<Void> {
        let (signals, feed) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        feeds[lane] = feed
        return signals
    }

    /// Feeds a lane's records to the connection as far as its window allows.
    private func send(
        _ lane: Delivery.Lane, _ connection: MQTTConnection, _ signals: AsyncStream<Void>
    ) async -> Ending {
        var signals = signals.makeAsyncIterator()
        var restUntil = Instant.boot
        do {
            while !Task.isCancelled {
                guard let order = try await nextOrder(lane) else {
                    await signals.next()
                    continue
                }
                let found = try await read(order, of: lane).prefix(order.limit)
                if found.isEmpty { continue }
                if lane == .live {
                    if clock.now() < restUntil {
                        try await clock.sleep(until: restUntil)
                        continue
                    }
                    if found.count < order.limit { restUntil = clock.now() + limits.linger }
                }
                let parcels = delivery.recordsRead(
                    Array(found), for: order, lane, at: clock.now())
                for parcel in parcels {
                    let message = speech.data(parcel, at: wall())
                    if lane == .backlog {
                        pace.sent(
                            parcel.id, bytes: message.payload.count + message.topic.utf8.count,
                            at: clock.now())
                    }
                    publish(message, parcel.id, on: connection)
                }
            }
        } catch is CancellationError {
            return .stopped
        } catch {
            return .failed("cannot read records: \(error)")
        }
        return .stopped
    }

    /// Returns when there are some, or soon: what is in between may not be readable.
    private func read(_ order: Delivery.Order, of lane: Delivery.Lane) async throws -> [Record] {
        // Waiting for live data wakes the recorder's thread for nothing: it comes with the news that there is some.
        if lane == .live {
            return try await records.nextBatch(after: order.after, limit: order.limit)
        }
        let found = try await records.batch(after: order.after, limit: order.limit)
        if found.isEmpty { try await records.waitForRecords(after: order.after) }
        return found
    }

    /// What a lane may read now; nil until something is confirmed.
    private func nextOrder(_ lane: Delivery.Lane) async throws -> Delivery.Order? {
        guard lane == .backlog else { return delivery.next(.live) }
        while delivery.next(.backlog) != nil {
            switch pace.permission(at: clock.now()) {
            case .send(let bytes):
                let records = max(limits.backlogRecordsMin, bytes / Delivery.metricBytes)
                return delivery.next(.backlog, recordsMax: records)
            case .wait(let due): try await clock.sleep(until: due)
            case .waitForConfirmation: return nil
            }
        }
        return nil
    }

    /// Gives up a connection that is silent for too long: TCP would take minutes to notice.
    private func watch() async -> Ending {
        while true {
            let now = clock.now()
            if let deadline = delivery.silentUntil, deadline <= now {
                let seconds = Int(limits.delivery.silenceMax.inSeconds)
                return .failed("\(endpoint.url): the broker confirmed nothing for \(seconds) s")
            }
            let next = delivery.silentUntil ?? now + limits.delivery.silenceMax
            guard
                (try? await clock.sleep(until: min(next, now.next(multipleOf: .seconds(1))))) != nil
            else {
                return .stopped
            }
        }
    }

    private func farewell(_ connection: MQTTConnection) async {
        guard connectedSince != nil else { return connection.abort() }
        let death = speech.death(at: wall())
        connection.close(lastWord: MQTTMessage(topic: death.topic, payload: death.payload))
        await connection.waitForEnd()
    }

    private func publish(
        _ message: CloudMessage, _ id: UInt64, on connection: MQTTConnection
    ) {
        connection.publish(MQTTMessage(topic: message.topic, payload: message.payload), id: id)
    }

    // MARK: between sessions

    private func connected(newest: UInt64) {
        let now = clock.now()
        delivery.connected(at: now, newest: newest)
        pace.connected(at: now)
        connectedSince = now
        reason = "connected to \(endpoint.url)"
        logger.notice("cloud connected", metadata: ["broker": "\(endpoint.url)"])
    }

    private func ended(_ ending: Ending) {
        let wasConnected = connectedSince != nil
        if wasConnected { downSince = clock.now() }
        connectedSince = nil
        delivery.disconnected()
        let before = reason
        switch ending {
        case .stopped: reason = "stopped"
        case .kicked: reason = "connecting to \(endpoint.url) over another uplink"
        case .failed(let why):
            reason = why
            lastError = why
        }
        if wasConnected || (reason != before && ending != .stopped) {
            logger.notice("cloud disconnected", metadata: ["reason": "\(reason)"])
        } else {
            logger.debug("cloud still disconnected", metadata: ["reason": "\(reason)"])
        }
    }

    /// Waits, or until `reconnect()` is called.
    private func wait(_ duration: Duration) async {
        let deadline = clock.now() + duration
        await withTaskGroup { group in
            group.addTask { try? await self.clock.sleep(until: deadline) }
            group.addTask { await self.waitForKick() }
            await group.next()
            group.cancelAll()
        }
    }

    /// Returns when `reconnect()` was called, also just before, or when cancelled.
    private func waitForKick() async {
        if !kickPending {
            let (kicks, kick) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
            self.kick = kick
            for await _ in kicks { break }
            self.kick = nil
        }
        if !Task.isCancelled { kickPending = false }
    }
}
