import Base

/// What the watcher reads of a Sparkplug B payload (Eclipse Sparkplug 3.0 §6.4, `sparkplug_b.proto`).
struct SparkplugMessage: Equatable, Sendable {
    struct Metric: Equatable, Sendable {
        var name: String?
        var alias: UInt64?
        /// Milliseconds since 1970.
        var timestamp: UInt64?
        var datatype: UInt64?
        var isHistorical = false
        var isNull = false
        /// The bits of the value field, not yet read as a datatype.
        var raw: Raw?
        /// Properties with whole numbers, by key.
        var properties: [String: UInt64] = [:]
    }

    enum Raw: Equatable, Sendable {
        case number(UInt64), float(Float), double(Double), bool(Bool), text(String)
    }

    var timestamp: UInt64?
    var sequence: UInt64?
    var metrics: [Metric] = []

    /// Most metrics in one message, and most properties of a metric.
    static let metricsMax = 65536
    static let propertiesMax = 64

    /// Reads a payload; nil if it is not one, or has more than the limits allow.
    init?(_ payload: [UInt8]) {
        var fields = ProtobufFields(payload[...])
        while let (field, value) = fields.next() {
            switch field {
            case 1: timestamp = value.number
            case 2:
                guard let slice = value.slice, let metric = Self.metric(slice),
                    metrics.count < Self.metricsMax
                else { return nil }
                metrics.append(metric)
            case 3: sequence = value.number
            default: break
            }
        }
        if fields.isMalformed { return nil }
    }

    private static func metric(_ bytes: ArraySlice<UInt8>) -> Metric? {
        var metric = Metric()
        var fields = ProtobufFields(bytes)
        while let (field, value) = fields.next() {
            switch field {
            case 1: metric.name = value.text
            case 2: metric.alias = value.number
            case 3: metric.timestamp = value.number
            case 4: metric.datatype = value.number
            case 5: metric.isHistorical = value.number == 1
            case 7: metric.isNull = value.number == 1
            case 9:
                guard let slice = value.slice, let properties = properties(slice) else {
                    return nil
                }
                metric.properties = properties
            case 10, 11, 12, 13, 14, 15: metric.raw = raw(value, isBool: field == 14)
            default: break
            }
        }
        return fields.isMalformed ? nil : metric
    }

    private static func raw(_ value: ProtobufFields.Value, isBool: Bool) -> Raw {
        switch value {
        case .varint(let number): isBool ? .bool(number != 0) : .number(number)
        case .fixed32(let bits): .float(Float(bitPattern: bits))
        case .fixed64(let bits): .double(Double(bitPattern: bits))
        case .bytes(let bytes): .text(String(decoding: bytes, as: UTF8.self))
        }
    }

    /// Reads a property set: keys and values side by side.
    private static func properties(_ bytes: ArraySlice<UInt8>) -> [String: UInt64]? {
        var keys: [String] = []
        var values: [UInt64?] = []
        var fields = ProtobufFields(bytes)
        while let (field, value) = fields.next() {
            guard keys.count < propertiesMax, values.count < propertiesMax else { return nil }
            if field == 1, let key = value.text { keys.append(key) }
            if field == 2, let slice = value.slice { values.append(number(slice)) }
        }
        guard !fields.isMalformed, keys.count == values.count else { return nil }
        return zip(keys, values).reduce(into: [:]) { $0[$1.0] = $1.1 }
    }

    /// The whole number of a property value: `int_value` or `long_value`.
    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64? {
        ProtobufFields(bytes).first { $0.field == 3 || $0.field == 4 }?.value.number
    }
}

extension SparkplugMessage.Metric {
    /// The value as its datatype reads it; `known` is the datatype of the metric's birth.
    func value(datatype known: UInt64?) -> TagValue? {
        guard !isNull else { return nil }
        switch raw {
        case nil: return nil
        case .bool(let value): return .bool(value)
        case .float(let value): return .double(Double(value))
        case .double(let value): return .double(value)
        case .text(let value): return .string(value)
        case .number(let bits):
            // Int8, Int16 and Int32 travel as uint32 in two's complement (Sparkplug 3.0 §6.4.16).
            switch datatype ?? known {
            case 1: return .integer(Int64(Int8(truncatingIfNeeded: bits)))
            case 2: return .integer(Int64(Int16(truncatingIfNeeded: bits)))
            case 3: return .integer(Int64(Int32(truncatingIfNeeded: bits)))
            default: return .integer(Int64(truncatingIfNeeded: bits))
            }
        }
    }
}
