import Base
import Testing

@testable import Cloud

@Suite("Sparkplug session")
struct SparkplugSessionTests {
    @Test("behaviour 9.5: a corrected time is marked; a minus zero arrives to the bit")
    func corrected() throws {
        var session = SparkplugSession(
            group: "g", node: "n", devices: [], birthDeathSequence: 0)
        var record = sample(1, value: .double(-0.0))
        let parcel = { (record: Record) in
            Delivery.Parcel(id: 9, source: "a", isHistorical: true, records: [record])
        }
        let wall = record.reading.time.wall
        let plain = try SparkplugPayload(decoding: session.data(parcel(record), at: wall).payload)
        #expect(!plain.metrics[0].properties.contains { $0.key == "TimeCorrected" })
        guard case .double(let value) = plain.metrics[0].value else {
            Issue.record("no double")
            return
        }
        #expect(value.bitPattern == (-0.0).bitPattern)
        record.isTimeCorrected = true
        let marked = try SparkplugPayload(decoding: session.data(parcel(record), at: wall).payload)
        #expect(
            marked.metrics[0].properties.contains {
                $0.key == "TimeCorrected" && $0.value == .boolean(true)
            })
    }

    private let wall = WallTime(milliseconds: 1_700_000_000_000)
    private var session = SparkplugSession(
        group: "drawbridge", node: "press-line-4",
        devices: [
            .init(
                name: "plc-1",
                tags: [
                    .init(name: "press.strokes", type: .int64),
                    .init(name: "press.door", type: .boolean),
                ]),
            .init(name: "plc-2", tags: [.init(name: "press.strokes", type: .double)]),
        ], birthDeathSequence: 254)

    private func decode(_ message: SparkplugSession.Message) throws -> SparkplugPayload {
        try SparkplugPayload(decoding: message.payload)
    }

    private func parcel(_ source: String, _ records: [Record], historical: Bool = false)
        -> Delivery.Parcel
    {
        Delivery.Parcel(id: 1, source: source, isHistorical: historical, records: records)
    }

    @Test("births: the node first, then each device with names, aliases and types; seq counts up")
    mutating func births() throws {
        _ = session.connecting(at: wall)
        let births = session.births(at: wall)
        #expect(
            births.map(\.topic) == [
                "spBv1.0/drawbridge/NBIRTH/press-line-4",
                "spBv1.0/drawbridge/DBIRTH/press-line-4/plc-1",
                "spBv1.0/drawbridge/DBIRTH/press-line-4/plc-2",
            ])
        let payloads = try births.map { try decode($0) }
        #expect(payloads.map(\.sequence) == [0, 1, 2])
        #expect(payloads[0].metrics.map(\.name) == ["bdSeq", "Node Control/Rebirth"])
        #expect(payloads[0].metrics[0].value == .long(255))
        #expect(payloads[1].metrics.map(\.name) == ["press.strokes", "press.door"])
        #expect(payloads[1].metrics.map(\.alias) == [1, 2])
        #expect(payloads[1].metrics.map(\.datatype) == [4, 11])
        #expect(payloads[1].metrics.allSatisfy { $0.isNull })
        #expect(payloads[2].metrics.map(\.alias) == [3])
    }

    @Test("will and birth carry one bdSeq, the next connection's the next one, 255 wraps")
    mutating func birthDeathSequence() throws {
        for expected in [255, 0, 1] as [UInt64] {
            let will = session.connecting(at: wall)
            #expect(will.topic == "spBv1.0/drawbridge/NDEATH/press-line-4")
            #expect(try decode(will).metrics.map(\.value) == [.long(expected)])
            #expect(try decode(will).sequence == nil)
            let birth = session.births(at: wall)[0]
            #expect(try decode(birth).metrics[0].value == .long(expected))
            #expect(try decode(session.death(at: wall)).metrics[0].value == .long(expected))
        }
    }

    @Test("data: alias, value, id; seq goes on from the births and wraps after 255")
    mutating func data() throws {
        _ = session.births(at: wall)
        for round in 0..<600 as Range<UInt64> {
            let message = session.data(parcel("plc-1", [sample(round + 1)]), at: wall)
            #expect(message.topic == "spBv1.0/drawbridge/DDATA/press-line-4/plc-1")
            let payload = try decode(message)
            #expect(payload.sequence == (round + 3) % 256)
            #expect(payload.metrics[0].alias == 1)
            #expect(payload.metrics[0].name == nil)
            #expect(payload.metrics[0].value == .long(round + 1))
            #expect(payload.metrics[0].recordID == round + 1)
            #expect(!payload.metrics[0].isHistorical)
        }
    }

    @Test("values, quality and history")
    mutating func values() throws {
        let records = [
            sample(1, value: .integer(-7)), sample(2, tag: "press.door", value: .bool(false)),
            sample(3, value: .double(0.5), quality: .bad), sample(4, value: .string("run")),
        ]
        let metrics = try decode(
            session.data(parcel("plc-1", records, historical: true), at: wall)
        ).metrics
        #expect(
            metrics.map(\.value) == [
                .long(UInt64(bitPattern: -7)), .boolean(false), .double(0.5), .string("run"),
            ])
        #expect(metrics.map(\.datatype) == [4, 11, 10, 12])
        #expect(metrics[2].properties.map(\.key) == ["id", "Quality"])
        #expect(metrics[2].properties[1].value == .int(0))
        #expect(metrics.allSatisfy { $0.isHistorical })
    }

    @Test("a source that is no machine speaks as the node; an unknown tag goes by its name")
    mutating func unknown() throws {
        let lost = sample(9, source: "drawbridge", tag: "lost", value: .string("…"))
        let node = session.data(parcel("drawbridge", [lost]), at: wall)
        #expect(node.topic == "spBv1.0/drawbridge/NDATA/press-line-4")
        #expect(try decode(node).metrics[0].name == "drawbridge/lost")
        let old = sample(10, tag: "removed")
        let device = try decode(session.data(parcel("plc-1", [old]), at: wall))
        #expect(device.metrics[0].name == "removed")
        #expect(device.metrics[0].alias == nil)
    }

    @Test("only NCMD Rebirth = true for this node asks for births")
    mutating func rebirth() {
        func command(_ topic: String, _ name: String, _ value: Bool) -> SparkplugSession.Message {
            let payload = SparkplugPayload(metrics: [
                .init(name: name, datatype: .boolean, value: .boolean(value))
            ])
            return .init(topic: topic, payload: payload.encoded())
        }
        let topic = session.commandTopic ?? "none"
        #expect(topic == "spBv1.0/drawbridge/NCMD/press-line-4")
        #expect(session.isRebirthRequest(command(topic, "Node Control/Rebirth", true)))
        #expect(!session.isRebirthRequest(command(topic, "Node Control/Rebirth", false)))
        #expect(!session.isRebirthRequest(command(topic, "Node Control/Reboot", true)))
        #expect(!session.isRebirthRequest(command(topic + "x", "Node Control/Rebirth", true)))
        #expect(!session.isRebirthRequest(.init(topic: topic, payload: [0xff, 0xff])))
        let wall = wall
        let seqs = session.births(at: wall).count + session.births(at: wall).count
        #expect(seqs == 6)
    }

    @Test("topics are read back; what is special in a topic never comes from a name")
    func topics() {
        let topic = SparkplugTopic(group: "a/b", kind: .deviceData, node: "n#", device: "+")
        #expect(topic.text == "spBv1.0/a_b/DDATA/n_/_")
        #expect(SparkplugTopic(topic.text) == topic)
        #expect(SparkplugTopic("spBv1.0/g/STATE/n") == nil)
        #expect(SparkplugTopic("spBv1.0/g/NDATA") == nil)
    }
}
