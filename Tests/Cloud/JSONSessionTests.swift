import Base
import FoundationEssentials
import Linux
import Logging
import Testing

@testable import Cloud
@testable import Settings

/// The alternative to Sparkplug: JSON that any program reads.
@Suite("JSON payload")
struct JSONSessionTests {
    private let wall = WallTime(milliseconds: 1_700_000_000_000)

    private func session() -> JSONSession {
        JSONSession(
            group: "plant/1", node: "press-line-4",
            devices: [.init(name: "plc-1", tags: [.init(name: "strokes", type: .int64)])],
            session: 6)
    }

    private func text(_ message: CloudMessage) -> String {
        String(decoding: message.payload, as: UTF8.self)
    }

    @Test("behaviour 7.5: the will, the birth and the farewell belong to one session")
    func states() {
        var session = session()
        let will = session.connecting(at: wall)
        #expect(will.topic == "plant_1/press-line-4/state")
        #expect(
            text(will)
                == #"{"device":"press-line-4","online":false,"session":7,"time":1700000000000}"#)
        let births = session.births(at: wall)
        #expect(births.map(\.topic) == [will.topic])
        #expect(
            text(births[0])
                == #"{"device":"press-line-4","online":true,"session":7,"#
                + #""sources":[{"name":"plc-1","tags":["strokes"]}],"time":1700000000000}"#)
        #expect(session.death(at: wall) == will)
        #expect(session.commandTopic == nil)
    }

    @Test(
        "behaviour 7.5: each record with its id, its time, its type; what JSON cannot say is a text"
    )
    func data() {
        var session = session()
        let records = [
            sample(1, source: "a/b", tag: "n", value: .integer(.max)),
            sample(2, source: "a/b", tag: "x", value: .double(0.1), quality: .bad, at: 5),
            sample(3, source: "a/b", tag: "y", value: .double(.nan)),
            sample(4, source: "a/b", tag: "s", value: .string("\"é\n")),
            sample(5, source: "a/b", tag: "b", value: .bool(false)),
        ]
        let parcel = Delivery.Parcel(id: 9, source: "a/b", isHistorical: true, records: records)
        let message = session.data(parcel, at: wall)
        #expect(message.topic == "plant_1/press-line-4/data/a_b")
        let expected =
            #"{"device":"press-line-4","historical":true,"records":["#
            + #"{"good":true,"id":1,"tag":"n","time":1700000000000,"value":9223372036854775807},"#
            + #"{"good":false,"id":2,"tag":"x","time":1700000000005,"value":0.1},"#
            + #"{"good":true,"id":3,"tag":"y","time":1700000000000,"value":"nan"},"#
            + #"{"good":true,"id":4,"tag":"s","time":1700000000000,"value":"\"é\n"},"#
            + #"{"good":true,"id":5,"tag":"b","time":1700000000000,"value":false}],"#
            + #""source":"a/b"}"#
        #expect(text(message) == expected)
    }

    @Test("behaviour 9.5: a corrected time is marked; a minus zero keeps its sign")
    func corrected() throws {
        var session = session()
        var record = sample(1, value: .double(-0.0))
        record.isTimeCorrected = true
        let parcel = Delivery.Parcel(id: 9, source: "a", isHistorical: true, records: [record])
        let json = text(session.data(parcel, at: wall))
        #expect(json.contains(#""time":1700000000000,"timeCorrected":true,"value":-0"#), "\(json)")
    }
}

/// The same through a real broker.
@Suite(
    "JSON against a real broker", .serialized,
    .enabled(if: TestBroker.isAvailable, "mosquitto is not installed"))
struct JSONDeliveryTests {
    private struct Parcel: Decodable {
        struct Item: Decodable { var id: UInt64 }
        var historical: Bool
        var records: [Item]
    }

    @Test("behaviour 7.5: backlog and live records arrive, each once, and the cursor follows")
    func delivers() async throws {
        let broker = try await TestBroker(TestPKI())
        let subscriber = try await TestSubscriber(broker, name: "sub", topic: "drawbridge/#")
        let ring = ArrayRing()
        await ring.append((1...700).map { sample($0) })
        var settings = try broker.settings()
        settings.payload = .json
        let service = CloudService(
            settings: settings, device: "press-line-4", machines: [], records: ring,
            clock: SystemClock(), wall: { SystemClock().wall() },
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let task = Task { try await service.run() }
        do {
            try await eventually("the backlog is delivered") { await ring.cursor() == 700 }
            await ring.append((701...720).map { sample($0) })
            try await eventually("live records are delivered") { await ring.cursor() == 720 }
        } catch {
            task.cancel()
            throw error
        }
        task.cancel()
        try await task.value
        try await eventually("the farewell has come") {
            try subscriber.raw().last.map {
                String(decoding: $0.payload, as: UTF8.self).contains(#""online":false"#)
            } ?? false
        }
        let messages = try subscriber.raw()
        #expect(messages.first?.topic == "drawbridge/press-line-4/state")
        let parcels = try messages.filter { $0.topic == "drawbridge/press-line-4/data/plc-1" }.map {
            try JSONDecoder().decode(Parcel.self, from: Data($0.payload))
        }
        #expect(parcels.flatMap { $0.records.map(\.id) } == Array(1...720))
        #expect(
            parcels.filter { !$0.historical }.flatMap { $0.records.map(\.id) } == Array(701...720))
    }
}
