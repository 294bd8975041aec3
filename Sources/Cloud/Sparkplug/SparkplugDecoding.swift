extension SparkplugPayload {
    /// Reads a payload; unknown fields are skipped, text that is not UTF-8 is repaired.
    package init(decoding bytes: some Collection<UInt8>) throws(WireError) {
        guard bytes.count <= Self.bytesMax else { throw .tooMany }
        self.init()
        var reader = WireReader(ArraySlice(bytes))
        while let field = try reader.next() {
            switch (field.number, field.value) {
            case (1, .varint(let value)): timestamp = value
            case (2, .bytes(let bytes)):
                guard metrics.count < Self.metricsMax else { throw .tooMany }
                metrics.append(try Metric(bytes))
            case (3, .varint(let value)): sequence = value
            case (4, .bytes(let bytes)): uuid = text(bytes)
            case (5, .bytes(let bytes)): body = Array(bytes)
            default: continue
            }
        }
    }
}

private func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
}

extension SparkplugPayload.Metric {
    fileprivate init(_ bytes: ArraySlice<UInt8>) throws(WireError) {
        self.init()
        var reader = WireReader(bytes)
        while let field = try reader.next() {
            switch (field.number, field.value) {
            case (1, .bytes(let bytes)): name = text(bytes)
            case (2, .varint(let value)): alias = value
            case (3, .varint(let value)): timestamp = value
            case (4, .varint(let value)): datatype = UInt32(truncatingIfNeeded: value)
            case (5, .varint(let value)): isHistorical = value != 0
            case (6, .varint(let value)): isTransient = value != 0
            case (7, .varint(let value)): isNull = value != 0
            case (9, .bytes(let bytes)):
                properties = try SparkplugPayload.Property.set(bytes)
            default:
                if let read = SparkplugPayload.Value(field, firstNumber: 10) { value = read }
            }
        }
    }
}

extension SparkplugPayload.Property {
    /// Reads a property set: its keys and its values are two lists of one length.
    fileprivate static func set(_ bytes: ArraySlice<UInt8>) throws(WireError) -> [Self] {
        var keys: [String] = []
        var properties: [Self] = []
        var reader = WireReader(bytes)
        while let field = try reader.next() {
            guard max(keys.count, properties.count) <= SparkplugPayload.propertiesMax else {
                throw .tooMany
            }
            switch (field.number, field.value) {
            case (1, .bytes(let bytes)): keys.append(text(bytes))
            case (2, .bytes(let bytes)): properties.append(try Self(bytes))
            default: continue
            }
        }
        guard keys.count == properties.count else { throw .malformed }
        for index in keys.indices { properties[index].key = keys[index] }
        return properties
    }

    private init(_ bytes: ArraySlice<UInt8>) throws(WireError) {
        key = ""
        type = 0
        var reader = WireReader(bytes)
        while let field = try reader.next() {
            if case (1, .varint(let value)) = (field.number, field.value) {
                type = UInt32(truncatingIfNeeded: value)
            } else if let read = SparkplugPayload.Value(field, firstNumber: 3) {
                value = read
            }
        }
    }
}

extension SparkplugPayload.Value {
    fileprivate init?(_ field: WireField, firstNumber: UInt32) {
        guard field.number >= firstNumber else { return nil }
        switch (field.number - firstNumber, field.value) {
        case (0, .varint(let value)): self = .int(UInt32(truncatingIfNeeded: value))
        case (1, .varint(let value)): self = .long(value)
        case (2, .fixed32(let bits)): self = .float(Float(bitPattern: bits))
        case (3, .fixed64(let bits)): self = .double(Double(bitPattern: bits))
        case (4, .varint(let value)): self = .boolean(value != 0)
        case (5, .bytes(let bytes)): self = .string(text(bytes))
        default: return nil
        }
    }
}
