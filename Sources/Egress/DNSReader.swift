import Base

/// Reads a DNS message from front to back, never past its end.
struct DNSReader {
    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func skip(_ count: Int) throws(DNSMessage.Fault) {
        guard bytes.count - position >= count else { throw .tooShort }
        position += count
    }

    mutating func number16() throws(DNSMessage.Fault) -> UInt16 {
        let start = position
        try skip(2)
        return UInt16(bytes[start]) << 8 | UInt16(bytes[start + 1])
    }

    mutating func number32() throws(DNSMessage.Fault) -> UInt32 {
        UInt32(try number16()) << 16 | UInt32(try number16())
    }

    /// A name (RFC 1035 §3.1, compressed as in §4.1.4); nil if it is well formed but no `DomainName`.
    ///
    /// Each pointer must point before the part that it ends, and behind the header: so the walk goes
    /// strictly backwards and ends.
    mutating func name() throws(DNSMessage.Fault) -> DomainName? {
        var labels: [String] = []
        var wireLength = 1
        var partStart = position
        var cursor = position
        var end: Int?
        while true {
            guard cursor < bytes.count else { throw .malformedName }
            let length = Int(bytes[cursor])
            switch length {
            case 0:
                position = end ?? cursor + 1
                return DomainName(labels: labels)
            case 1...63:
                guard cursor + 1 + length <= bytes.count else { throw .malformedName }
                wireLength += 1 + length
                guard wireLength <= 255 else { throw .malformedName }
                labels.append(
                    String(decoding: bytes[(cursor + 1)...(cursor + length)], as: UTF8.self))
                cursor += 1 + length
            case 0xc0...:
                guard cursor + 1 < bytes.count else { throw .malformedName }
                let target = (length & 0x3f) << 8 | Int(bytes[cursor + 1])
                guard target >= 12, target < partStart else { throw .malformedName }
                if end == nil { end = cursor + 2 }
                partStart = target
                cursor = target
            default:
                throw .malformedName
            }
        }
    }
}
