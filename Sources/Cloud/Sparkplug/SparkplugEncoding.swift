extension SparkplugPayload {
    /// The payload's bytes in protobuf encoding.
    package func encoded() -> [UInt8] {
        var writer = WireWriter()
        if let timestamp { writer.varint(1, timestamp) }
        for metric in metrics { writer.message(2) { metric.write(to: &$0) } }
        if let sequence { writer.varint(3, sequence) }
        if let uuid { writer.string(4, uuid) }
        if let body { writer.bytes(5, body) }
        return writer.bytes
    }
}

extension SparkplugPayload.Metric {
    fileprivate func write(to writer: inout WireWriter) {
        if let name { writer.string(1, name) }
        if let alias { writer.varint(2, alias) }
        if let timestamp { writer.varint(3, timestamp) }
        if let datatype { writer.varint(4, UInt64(datatype)) }
        if isHistorical { writer.bool(5, true) }
        if isTransient { writer.bool(6, true) }
        if isNull { writer.bool(7, true) }
        if !properties.isEmpty {
            writer.message(9) { set in
                for property in properties { set.string(1, property.key) }
                for property in properties { set.message(2) { property.write(to: &$0) } }
            }
        }
        value?.write(to: &writer, firstNumber: 10)
    }
}

extension SparkplugPayload.Property {
    fileprivate func write(to writer: inout WireWriter) {
        writer.varint(1, UInt64(type))
        if value == nil { writer.bool(2, true) }
        value?.write(to: &writer, firstNumber: 3)
    }
}

extension SparkplugPayload.Value {
    /// The six kinds have consecutive field numbers: from 10 in a metric, from 3 in a property.
    fileprivate func write(to writer: inout WireWriter, firstNumber: UInt32) {
        switch self {
        case .int(let value): writer.varint(firstNumber, UInt64(value))
        case .long(let value): writer.varint(firstNumber + 1, value)
        case .float(let value): writer.fixed32(firstNumber + 2, value.bitPattern)
        case .double(let value): writer.fixed64(firstNumber + 3, value.bitPattern)
        case .boolean(let value): writer.bool(firstNumber + 4, value)
        case .string(let value): writer.string(firstNumber + 5, value)
        }
    }
}
