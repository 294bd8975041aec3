/// A minimal writer of Sparkplug payloads, for the watcher's tests (protobuf.dev, "Encoding").
struct SparkplugBytes {
    private(set) var bytes: [UInt8] = []

    mutating func number(_ field: UInt64, _ value: UInt64) {
        varint(field << 3)
        varint(value)
    }

    mutating func text(_ field: UInt64, _ value: String) { message(field, Array(value.utf8)) }

    mutating func message(_ field: UInt64, _ content: [UInt8]) {
        varint(field << 3 | 2)
        varint(UInt64(content.count))
        bytes += content
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// A metric of a birth: name, alias, datatype, value.
    static func born(_ name: String, alias: UInt64, datatype: UInt64, value: UInt64) -> [UInt8] {
        var metric = SparkplugBytes()
        metric.text(1, name)
        metric.number(2, alias)
        metric.number(4, datatype)
        metric.number(10, value)
        return metric.bytes
    }

    /// A record: a metric by its alias, with the property `id`.
    static func record(
        alias: UInt64, id: UInt64, value: UInt64, isHistorical: Bool = false
    ) -> [UInt8] {
        var property = SparkplugBytes()
        property.number(1, 8)
        property.number(4, id)
        var properties = SparkplugBytes()
        properties.text(1, "id")
        properties.message(2, property.bytes)
        var metric = SparkplugBytes()
        metric.number(2, alias)
        metric.number(3, 1_700_000_000_000 + id)
        if isHistorical { metric.number(5, 1) }
        metric.message(9, properties.bytes)
        metric.number(10, value)
        return metric.bytes
    }

    static func payload(_ metrics: [[UInt8]]) -> [UInt8] {
        var payload = SparkplugBytes()
        payload.number(1, 1_700_000_000_000)
        for metric in metrics { payload.message(2, metric) }
        payload.number(3, 1)
        return payload.bytes
    }
}
