import Base
import Cloud
import Glibc
import Linux
import Logging
import TestSupport
import Testing

@testable import Settings

@Suite(
    "Cloud service against a real broker", .serialized,
    .enabled(if: TestBroker.isAvailable, "mosquitto is not installed"))
struct CloudServiceTests {
    private let machine = Settings.Machine(
        name: "plc-1", address: IPv4Address(value: 0x7f00_0001), port: 502, unit: 1,
        timeout: .seconds(1),
        tags: [
            Settings.Tag(
                name: "press.strokes", register: .init(table: .input, address: 2), type: .uint32,
                scale: nil, every: .seconds(1))
        ])

    private func service(
        _ broker: TestBroker, _ ring: ArrayRing,
        _ change: (inout CloudService.Limits) -> Void = { _ in }
    ) throws -> CloudService {
        var limits = CloudService.Limits()
        limits.backoffShortest = .milliseconds(100)
        limits.backoffSpread = .milliseconds(100)
        limits.backoffLongest = .milliseconds(500)
        change(&limits)
        return CloudService(
            settings: try broker.settings(), device: "press-line-4", machines: [machine],
            records: ring, clock: SystemClock(), wall: { SystemClock().wall() },
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            limits: limits)
    }

    private func fresh(_ sequences: ClosedRange<UInt64>) -> [Record] {
        let now = SystemClock().now().nanoseconds / 1_000_000
        return sequences.map { sample($0, at: now) }
    }

    /// Runs the service while `body` runs, then stops it in order.
    private func running(_ service: CloudService, _ body: () async throws -> Void) async throws {
        let task = Task { try await service.run() }
        do {
            try await body()
        } catch {
            task.cancel()
            try await task.value
            throw error
        }
        task.cancel()
        try await task.value
    }

    @Test("births, backlog as history, live records, farewell: as mosquitto_sub sees them")
    func delivers() async throws {
        let broker = try await TestBroker(TestPKI())
        let subscriber = try await TestSubscriber(broker, name: "sub")
        let ring = ArrayRing()
        await ring.append((1...1_200).map { sample($0) })
        let service = try service(broker, ring)
        try await running(service) {
            try await eventually("the backlog is delivered") { await ring.cursor() == 1_200 }
            await ring.append(fresh(1_201...1_210))
            await ring.append([sample(1_211, source: "drawbridge", tag: "lost")])
            try await eventually("live records are delivered") { await ring.cursor() == 1_211 }
            let status = await service.status()
            #expect(status.isConnected)
            #expect(status.reason == "connected to mqtts://127.0.0.1:\(broker.port)")
            #expect(status.delivered == 1_211)
            #expect(status.inFlight == 0)
            #expect(status.backlog == 0)
            #expect(status.lastError == nil)
        }
        #expect(await service.status().reason == "stopped")
        try await eventually("the farewell has come") {
            try subscriber.messages().last?.topic.kind == .nodeDeath
        }
        let messages = try subscriber.messages()
        #expect(try subscriber.ids() == Array(1...1_211))
        #expect(messages.prefix(2).map(\.topic.kind) == [.nodeBirth, .deviceBirth])
        // seq counts every message of the session; the farewell has none.
        #expect(
            messages.dropLast().map { $0.payload.sequence }
                == messages.dropLast().indices.map { UInt64($0 % 256) })
        #expect(messages.filter { $0.topic.kind == .nodeDeath }.count == 1)
        let metrics = messages.flatMap { $0.payload.metrics }.filter { $0.recordID != nil }
        #expect(metrics.prefix(1_200).allSatisfy { $0.isHistorical && $0.alias == 1 })
        #expect(metrics[1_200..<1_210].allSatisfy { !$0.isHistorical })
        #expect(metrics.last?.name == "drawbridge/lost")
    }

    @Test("the broker is killed and comes back: the backlog arrives, in order, nothing lost")
    func brokerRestarts() async throws {
        let broker = try await TestBroker(TestPKI())
        let before = try await TestSubscriber(broker, name: "before")
        let ring = ArrayRing()
        let service = try service(broker, ring)
        try await running(service) {
            await ring.append(fresh(1...3_000))
            try await eventually("some is delivered") { await ring.cursor() >= 500 }
            await broker.kill()
            try await eventually("the loss is noticed") { await !service.status().isConnected }
            let reason = await service.status().reason
            #expect(reason.hasPrefix("mqtts://127.0.0.1:\(broker.port): "), "\(reason)")
            await ring.append(fresh(3_001...5_000))
            // Nobody may speak before the next subscriber listens.
            await ring.hold(true)
            try await broker.start()
            let after = try await TestSubscriber(broker, name: "after")
            await ring.hold(false)
            try await eventually("everything is delivered") { await ring.cursor() == 5_000 }
            try await eventually("everything is seen") { try after.ids().last == 5_000 }
            let (early, late) = (try before.ids(), try after.ids())
            #expect(early == early.sorted() && Set(early).count == early.count)
            #expect(late == late.sorted() && Set(late).count == late.count)
            #expect(Set(early).union(late) == Set(1...5_000))
            #expect(await service.status().lastError != nil)
        }
    }

    @Test("a broker that hangs is given up; when it wakes, everything arrives")
    func brokerHangs() async throws {
        let broker = try await TestBroker(TestPKI())
        let subscriber = try await TestSubscriber(broker, name: "sub")
        let ring = ArrayRing()
        let service = try service(broker, ring) { $0.delivery.silenceMax = .milliseconds(500) }
        try await running(service) {
            await ring.append(fresh(1...10))
            try await eventually("delivered") { await ring.cursor() == 10 }
            broker.send(signal: SIGSTOP)
            await ring.append(fresh(11...20))
            try await eventually("given up") {
                await service.status().lastError?.contains("confirmed nothing for") ?? false
            }
            broker.send(signal: SIGCONT)
            try await eventually("delivered again") { await ring.cursor() == 20 }
            try await eventually("seen") { try Set(subscriber.ids()) == Set(1...20) }
        }
    }

    @Test("reconnect() makes a new session at once, with the next bdSeq")
    func reconnect() async throws {
        let broker = try await TestBroker(TestPKI())
        let subscriber = try await TestSubscriber(broker, name: "sub")
        let ring = ArrayRing()
        // A back-off of an hour: without the kick this test would not end.
        let service = try service(broker, ring) {
            $0.backoffShortest = .seconds(3600)
            $0.backoffSpread = .seconds(3600)
            $0.backoffLongest = .seconds(3600)
        }
        func births() throws -> [UInt64] {
            try subscriber.messages().filter { $0.topic.kind == .nodeBirth }.compactMap {
                guard case .long(let number) = $0.payload.metrics[0].value else { return nil }
                return number
            }
        }
        try await running(service) {
            try await eventually("born") { try births().count == 1 }
            await service.reconnect()
            try await eventually("born again") { try births().count == 2 }
            let numbers = try births()
            #expect(numbers[1] == (numbers[0] + 1) % 256)

            await broker.kill()
            try await eventually("noticed") { await !service.status().isConnected }
            try await broker.start()
            await service.reconnect()
            try await eventually("connected") { await service.status().isConnected }
        }
    }

    @Test("a host application asks for a rebirth")
    func rebirth() async throws {
        let broker = try await TestBroker(TestPKI())
        let subscriber = try await TestSubscriber(broker, name: "sub")
        let service = try service(broker, ArrayRing())
        func kinds() throws -> [SparkplugTopic.Kind] { try subscriber.messages().map(\.topic.kind) }
        try await running(service) {
            try await eventually("born") { try kinds() == [.nodeBirth, .deviceBirth] }
            let host = try MQTTConnection(broker.options("host"))
            let payload = SparkplugPayload(metrics: [
                .init(
                    name: "Node Control/Rebirth", datatype: .boolean, value: .boolean(true))
            ])
            let topic = SparkplugTopic(
                group: "drawbridge", kind: .nodeCommand, node: "press-line-4")
            host.publish(MQTTMessage(topic: topic.text, payload: payload.encoded()), id: 1)
            try await eventually("born again") {
                try kinds() == [
                    .nodeBirth, .deviceBirth, .nodeCommand, .nodeBirth, .deviceBirth,
                ]
            }
            host.close(lastWord: nil)
            await host.waitForEnd()
        }
    }

    @Test("a missing key file is a reason in the status, and mended without a restart")
    func missingKey() async throws {
        let broker = try await TestBroker(TestPKI())
        let key = broker.pki.path("device.key")
        let content = try SmallFile.read(key)
        unlink(key)
        let service = try service(broker, ArrayRing())
        try await running(service) {
            try await eventually("the reason is known") {
                await service.status().reason
                    == "[cloud] key: cannot open \(key): No such file or directory"
            }
            try SmallFile.replace(key, with: content)
            try await eventually("connected") { await service.status().isConnected }
        }
    }
}
