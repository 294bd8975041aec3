package import Base
import FoundationEssentials

/// The alternative to Sparkplug B: plain JSON, one object a message (`docs/json.md`).
///
///     connecting ──will: state, offline──▶ connected ──state, online──▶ data …
package struct JSONSession: PayloadSession {
    private let root: String
    private let node: String
    private let sources: [State.Source]
    /// Tells this session's words from those of the one before.
    private var session: UInt64

    /// `session` should differ from that of the process's last life: a late will of that life must not be taken for
    /// one of ours.
    package init(
        group: String, node: String, devices: [SparkplugSession.Device], session: UInt64
    ) {
        root = SparkplugTopic.plain(group) + "/" + SparkplugTopic.plain(node)
        self.node = node
        sources = devices.map { State.Source(name: $0.name, tags: $0.tags.map(\.name)) }
        self.session = session
    }

    package mutating func connecting(at wall: WallTime) -> CloudMessage {
        session &+= 1
        return death(at: wall)
    }

    package mutating func births(at wall: WallTime) -> [CloudMessage] {
        let state = State(
            device: node, online: true, session: session, sources: sources,
            time: wall.milliseconds)
        return [CloudMessage(topic: stateTopic, payload: Self.encoded(state))]
    }

    package mutating func data(_ parcel: Delivery.Parcel, at wall: WallTime) -> CloudMessage {
        let data = Parcel(
            device: node, historical: parcel.isHistorical,
            records: parcel.records.map { Parcel.Item($0) }, source: parcel.source)
        return CloudMessage(
            topic: root + "/data/" + SparkplugTopic.plain(parcel.source),
            payload: Self.encoded(data))
    }

    package func death(at wall: WallTime) -> CloudMessage {
        let state = State(
            device: node, online: false, session: session, sources: nil, time: wall.milliseconds)
        return CloudMessage(topic: stateTopic, payload: Self.encoded(state))
    }

    package var commandTopic: String? { nil }
    package func isRebirthRequest(_ message: CloudMessage) -> Bool { false }

    private var stateTopic: String { root + "/state" }

    private struct State: Encodable {
        struct Source: Encodable, Equatable {
            var name: String
            var tags: [String]
        }

        var device: String
        var online: Bool
        var session: UInt64
        var sources: [Source]?
        var time: Int64
    }

    private struct Parcel: Encodable {
        struct Item: Encodable {
            var good: Bool
            var id: UInt64
            var tag: String
            var time: Int64
            /// Left out where it is not so.
            var timeCorrected: Bool?
            var value: Value

            init(_ record: Record) {
                good = record.reading.quality == .good
                id = record.sequence
                tag = record.reading.tag
                time = record.reading.time.wall.milliseconds
                timeCorrected = record.isTimeCorrected ? true : nil
                value = Value(value: record.reading.value)
            }
        }

        var device: String
        var historical: Bool
        var records: [Item]
        var source: String
    }

    private struct Value: Encodable {
        var value: TagValue

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch value {
            case .bool(let value): try container.encode(value)
            case .integer(let value): try container.encode(value)
            case .double(let value): try container.encode(value)
            case .string(let value): try container.encode(value)
            }
        }
    }

    private static func encoded(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do {
            return Array(try encoder.encode(value))
        } catch {
            preconditionFailure("numbers and valid texts are always JSON: \(error)")
        }
    }
}
