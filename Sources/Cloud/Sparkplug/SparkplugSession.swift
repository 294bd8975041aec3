package import Base

/// What an edge node says in one MQTT session, and in which order (Sparkplug 3.0 §5).
///
///     connecting ──will: NDEATH(bdSeq)──▶ connected ──NBIRTH seq 0, DBIRTH seq 1…n──▶ data, seq n+1 … 255, 0, 1 …
///                                                       ▲                               │
///                                                       └────────── NCMD "Rebirth" ─────┘
///
/// Unlike the standard's QoS 0, everything is meant for QoS 1: a record counts as delivered only when the
/// broker has confirmed it, and births must not overtake or be overtaken by data.
package struct SparkplugSession: Sendable {
    /// A machine, as its birth certificate names it.
    package struct Device: Equatable, Sendable {
        package var name: String
        package var tags: [Tag]

        package init(name: String, tags: [Tag]) {
            self.name = name
            self.tags = tags
        }
    }

    package struct Tag: Equatable, Sendable {
        package var name: String
        package var type: SparkplugPayload.DataType

        package init(name: String, type: SparkplugPayload.DataType) {
            self.name = name
            self.type = type
        }
    }

    package typealias Message = CloudMessage

    private struct TagKey: Hashable, Sendable {
        var device: String
        var tag: String
    }

    private let group: String
    private let node: String
    private let devices: [Device]
    private let aliases: [TagKey: UInt64]
    private let deviceNames: Set<String>
    private var birthDeathSequence: UInt8
    private var sequence: UInt8 = 0

    /// `birthDeathSequence` should differ from that of the process's last life: a late NDEATH of that life
    /// must not be taken for one of ours.
    package init(group: String, node: String, devices: [Device], birthDeathSequence: UInt8) {
        self.group = group
        self.node = node
        self.devices = devices
        self.birthDeathSequence = birthDeathSequence
        deviceNames = Set(devices.map(\.name))
        var aliases: [TagKey: UInt64] = [:]
        for device in devices {
            for tag in device.tags {
                aliases[TagKey(device: device.name, tag: tag.name)] = UInt64(aliases.count + 1)
            }
        }
        self.aliases = aliases
    }

    /// A new connection is about to be made; what comes back is its will.
    package mutating func connecting(at wall: WallTime) -> Message {
        birthDeathSequence &+= 1
        return death(at: wall)
    }

    /// The broker accepted us, or a host application asked for it: everything that was said before is void.
    package mutating func births(at wall: WallTime) -> [Message] {
        sequence = 0
        let control = SparkplugPayload.Metric(
            name: Self.rebirthName, timestamp: wall.sparkplug, datatype: .boolean,
            value: .boolean(false))
        let nodeBirth = message(.nodeBirth, [birthDeathMetric(at: wall), control], at: wall)
        return [nodeBirth]
            + devices.map { device in
                let metrics = device.tags.map { tag in
                    SparkplugPayload.Metric(
                        name: tag.name, alias: aliases[TagKey(device: device.name, tag: tag.name)],
                        timestamp: wall.sparkplug, datatype: tag.type, isNull: true)
                }
                return message(.deviceBirth, device: device.name, metrics, at: wall)
            }
    }

    /// Records of one source, to be sent now. A source that is no configured machine speaks as the node itself.
    package mutating func data(_ parcel: Delivery.Parcel, at wall: WallTime) -> Message {
        let isDevice = deviceNames.contains(parcel.source)
        let metrics = parcel.records.map { record in
            metric(record, isHistorical: parcel.isHistorical, ofDevice: isDevice)
        }
        return message(
            isDevice ? .deviceData : .nodeData, device: isDevice ? parcel.source : nil, metrics,
            at: wall)
    }

    /// The node's end: the will of every connection, and the last word of an orderly one.
    package func death(at wall: WallTime) -> Message {
        let payload = SparkplugPayload(
            timestamp: wall.sparkplug, metrics: [birthDeathMetric(at: wall)])
        return Message(topic: topic(.nodeDeath, nil), payload: payload.encoded())
    }

    /// Where host applications send us commands.
    package var commandTopic: String? { topic(.nodeCommand, nil) }

    /// Whether a message asks for births; anything else that a host may say is ignored.
    package func isRebirthRequest(_ message: Message) -> Bool {
        guard message.topic == commandTopic,
            let payload = try? SparkplugPayload(decoding: message.payload)
        else { return false }
        return payload.metrics.contains {
            $0.name == Self.rebirthName && $0.value == .boolean(true)
        }
    }

    private static let rebirthName = "Node Control/Rebirth"

    private func birthDeathMetric(at wall: WallTime) -> SparkplugPayload.Metric {
        SparkplugPayload.Metric(
            name: "bdSeq", timestamp: wall.sparkplug, datatype: .int64,
            value: .long(UInt64(birthDeathSequence)))
    }

    private func metric(_ record: Record, isHistorical: Bool, ofDevice isDevice: Bool)
        -> SparkplugPayload.Metric
    {
        let reading = record.reading
        var metric = SparkplugPayload.Metric(
            timestamp: reading.time.wall.sparkplug, isHistorical: isHistorical,
            properties: [
                .init(key: "id", type: .uint64, value: .long(record.sequence))
            ])
        // A tag that has left the configuration since has no alias: it goes by its name.
        metric.alias = aliases[TagKey(device: reading.source, tag: reading.tag)]
        if metric.alias == nil {
            metric.name = isDevice ? reading.tag : "\(reading.source)/\(reading.tag)"
        }
        if reading.quality == .bad {
            metric.properties.append(.init(key: "Quality", type: .int32, value: .int(0)))
        }
        if record.isTimeCorrected {
            metric.properties.append(
                .init(key: "TimeCorrected", type: .boolean, value: .boolean(true)))
        }
        metric.set(reading.value)
        return metric
    }

    private mutating func message(
        _ kind: SparkplugTopic.Kind, device: String? = nil, _ metrics: [SparkplugPayload.Metric],
        at wall: WallTime
    ) -> Message {
        let payload = SparkplugPayload(
            timestamp: wall.sparkplug, metrics: metrics, sequence: UInt64(sequence))
        sequence &+= 1
        return Message(topic: topic(kind, device), payload: payload.encoded())
    }

    private func topic(_ kind: SparkplugTopic.Kind, _ device: String?) -> String {
        SparkplugTopic(group: group, kind: kind, node: node, device: device).text
    }
}

extension SparkplugPayload.Metric {
    fileprivate mutating func set(_ value: TagValue) {
        let type: SparkplugPayload.DataType
        switch value {
        case .bool(let value): (type, self.value) = (.boolean, .boolean(value))
        case .integer(let value):
            (type, self.value) = (.int64, .long(UInt64(bitPattern: value)))
        case .double(let value): (type, self.value) = (.double, .double(value))
        case .string(let value): (type, self.value) = (.string, .string(value))
        }
        datatype = type.rawValue
    }
}

extension WallTime {
    /// Sparkplug's time stamps are unsigned: a clock before 1970 says 1970.
    fileprivate var sparkplug: UInt64 { UInt64(max(0, milliseconds)) }
}
