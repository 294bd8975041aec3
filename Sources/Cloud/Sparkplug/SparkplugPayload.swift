/// A Sparkplug B payload, as far as Drawbridge speaks it.
///
/// Source: Eclipse Sparkplug 3.0 §6.4; field numbers of `sparkplug_b.proto`. Data sets, templates and
/// metadata are skipped when they are read, and never written.
package struct SparkplugPayload: Equatable, Sendable {
    /// When it was sent: milliseconds since 1970, UTC.
    package var timestamp: UInt64?
    package var metrics: [Metric]
    /// 0…255, wrapping; nil in NDEATH and NCMD.
    package var sequence: UInt64?
    package var uuid: String?
    package var body: [UInt8]?

    package init(
        timestamp: UInt64? = nil, metrics: [Metric] = [], sequence: UInt64? = nil,
        uuid: String? = nil, body: [UInt8]? = nil
    ) {
        self.timestamp = timestamp
        self.metrics = metrics
        self.sequence = sequence
        self.uuid = uuid
        self.body = body
    }

    /// The data types that we write (Sparkplug 3.0 §6.4.16).
    package enum DataType: UInt32, Sendable {
        case int32 = 3
        case int64 = 4
        case uint64 = 8
        case double = 10
        case boolean = 11
        case string = 12
    }

    /// A value as it is on the wire: signed numbers are two's complement within `int` and `long`.
    package enum Value: Equatable, Sendable {
        case int(UInt32)
        case long(UInt64)
        case float(Float)
        case double(Double)
        case boolean(Bool)
        case string(String)
    }

    package struct Metric: Equatable, Sendable {
        package var name: String?
        package var alias: UInt64?
        /// When it was read: milliseconds since 1970, UTC.
        package var timestamp: UInt64?
        /// The number of a `DataType`, or one that we do not know.
        package var datatype: UInt32?
        package var isHistorical: Bool
        package var isTransient: Bool
        package var isNull: Bool
        package var properties: [Property]
        package var value: Value?

        package init(
            name: String? = nil, alias: UInt64? = nil, timestamp: UInt64? = nil,
            datatype: DataType? = nil, isHistorical: Bool = false, isTransient: Bool = false,
            isNull: Bool = false, properties: [Property] = [], value: Value? = nil
        ) {
            self.name = name
            self.alias = alias
            self.timestamp = timestamp
            self.datatype = datatype?.rawValue
            self.isHistorical = isHistorical
            self.isTransient = isTransient
            self.isNull = isNull
            self.properties = properties
            self.value = value
        }
    }

    package struct Property: Equatable, Sendable {
        package var key: String
        package var type: UInt32
        package var value: Value?

        package init(key: String, type: DataType, value: Value?) {
            self.key = key
            self.type = type.rawValue
            self.value = value
        }
    }

    /// Longest payload that is read, in bytes.
    package static let bytesMax = 4 << 20
    /// Most metrics of a payload that is read.
    package static let metricsMax = 65_536
    /// Most properties of a metric that is read.
    package static let propertiesMax = 64
}
