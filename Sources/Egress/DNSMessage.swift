package import Base

/// A DNS message as far as the resolver needs it (RFC 1035 §4): header, one question, and the answers
/// that are IPv4 addresses or aliases. The authority and additional sections are not looked at.
package struct DNSMessage: Equatable, Sendable {
    package var id: UInt16
    package var isResponse: Bool
    /// 0 is a standard query.
    package var opcode: UInt8
    /// The answer did not fit into the datagram.
    package var isTruncated: Bool
    package var isRecursionDesired: Bool
    package var responseCode: ResponseCode
    package var question: Question
    package var answers: [Record]

    /// `RCODE` (RFC 1035 §4.1.1)
    package struct ResponseCode: RawRepresentable, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let noError = ResponseCode(rawValue: 0)
        package static let formatError = ResponseCode(rawValue: 1)
        package static let serverFailure = ResponseCode(rawValue: 2)
        package static let noSuchName = ResponseCode(rawValue: 3)
        package static let notImplemented = ResponseCode(rawValue: 4)
        package static let refused = ResponseCode(rawValue: 5)
    }

    /// `TYPE` and `QTYPE` (RFC 1035 §3.2.2)
    package enum RecordType {
        package static let address: UInt16 = 1
        package static let alias: UInt16 = 5
    }

    /// `CLASS` IN: the only one there is.
    package static let internetClass: UInt16 = 1

    package struct Question: Equatable, Sendable {
        /// nil: a name that no `DomainName` can hold, which is therefore on no list.
        package var name: DomainName?
        package var type: UInt16
        package var recordClass: UInt16
        /// The question as it was written, to be repeated in the reply letter for letter.
        package var wire: [UInt8]
    }

    package struct Record: Equatable, Sendable {
        package enum Data: Equatable, Sendable {
            case address(IPv4Address)
            /// nil: a name that no `DomainName` can hold.
            case alias(DomainName?)
        }
        package var name: DomainName
        package var timeToLiveSeconds: UInt32
        package var data: Data
    }

    /// Longest message that is read, in bytes.
    package static let bytesMax = 16 * 1024
    /// Most answer records that are looked at.
    package static let answersMax = 64

    /// Why bytes are not a message.
    package enum Fault: Error, Equatable {
        case tooShort, tooLong, malformedName, malformedRecord, notOneQuestion
    }

    /// Reads a message. Every length is checked, every compression pointer must point backwards.
    package init(decoding bytes: [UInt8]) throws(Fault) {
        guard bytes.count <= Self.bytesMax else { throw .tooLong }
        var reader = DNSReader(bytes)
        id = try reader.number16()
        let flags = try reader.number16()
        isResponse = flags & 0x8000 != 0
        opcode = UInt8(flags >> 11 & 0xf)
        isTruncated = flags & 0x0200 != 0
        isRecursionDesired = flags & 0x0100 != 0
        responseCode = ResponseCode(rawValue: UInt8(flags & 0xf))
        let questions = try reader.number16()
        let records = try reader.number16()
        try reader.skip(4)
        guard questions == 1 else { throw .notOneQuestion }
        let start = reader.position
        let name = try reader.name()
        let type = try reader.number16()
        let recordClass = try reader.number16()
        question = Question(
            name: name, type: type, recordClass: recordClass,
            wire: Array(bytes[start..<reader.position]))
        answers = []
        for _ in 0..<min(Int(records), Self.answersMax) {
            if let record = try Self.record(&reader) { answers.append(record) }
        }
    }

    /// The next record; nil if it is neither an address nor an alias.
    private static func record(_ reader: inout DNSReader) throws(Fault) -> Record? {
        let owner = try reader.name()
        let type = try reader.number16()
        let recordClass = try reader.number16()
        let timeToLive = try reader.number32()
        let length = Int(try reader.number16())
        let end = reader.position + length
        guard let owner, recordClass == internetClass else {
            try reader.skip(length)
            return nil
        }
        let data: Record.Data
        switch type {
        case RecordType.address:
            guard length == 4 else { throw .malformedRecord }
            data = .address(IPv4Address(value: try reader.number32()))
        case RecordType.alias:
            data = .alias(try reader.name())
            guard reader.position == end else { throw .malformedRecord }
        default:
            try reader.skip(length)
            return nil
        }
        return Record(name: owner, timeToLiveSeconds: timeToLive, data: data)
    }
}

extension DNSMessage {
    /// Asks for the IPv4 addresses of a name, with recursion.
    package static func query(id: UInt16, name: DomainName) -> [UInt8] {
        var bytes = header(id: id, flags: 0x0100, answers: 0)
        for label in name.labels { bytes += [UInt8(label.utf8.count)] + Array(label.utf8) }
        return bytes + [0] + big(RecordType.address) + big(internetClass)
    }

    /// Longest reply: what any client takes over UDP without extensions (RFC 1035 §4.2.1).
    package static let replyBytesMax = 512

    /// Answers a query: with addresses that all belong directly to its name, or with a code alone.
    ///
    /// As many addresses as fit are written; nothing is ever marked truncated.
    package static func reply(
        to query: DNSMessage, _ code: ResponseCode, addresses: [IPv4Address] = [],
        timeToLiveSeconds: UInt32 = 0
    ) -> [UInt8] {
        let room = (replyBytesMax - 12 - query.question.wire.count) / 16
        let fitting = addresses.prefix(room)
        // QR, and RA: recursion is available.
        let flags =
            0x8080 | UInt16(query.opcode & 0xf) << 11 | (query.isRecursionDesired ? 0x0100 : 0)
            | UInt16(code.rawValue & 0xf)
        var bytes = header(id: query.id, flags: flags, answers: UInt16(fitting.count))
        bytes += query.question.wire
        for address in fitting {
            // A pointer to the question's name, which stands right behind the header.
            bytes += [0xc0, 12] + big(RecordType.address) + big(internetClass)
            bytes += big(timeToLiveSeconds) + big(UInt16(4)) + address.bytes
        }
        return bytes
    }

    /// Answers a query that could not be read: only its id is known.
    package static func formatError(id: UInt16) -> [UInt8] {
        var bytes = header(
            id: id, flags: 0x8080 | UInt16(ResponseCode.formatError.rawValue), answers: 0)
        bytes[5] = 0
        return bytes
    }

    private static func header(id: UInt16, flags: UInt16, answers: UInt16) -> [UInt8] {
        big(id) + big(flags) + big(UInt16(1)) + big(answers) + [0, 0, 0, 0]
    }

    private static func big<I: FixedWidthInteger>(_ value: I) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
}
