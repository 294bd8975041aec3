import Base
import TestSupport
import Testing

@testable import Egress

@Suite struct DNSMessageTests {
    /// An answer as dnsmasq 2.90 gives it: mqtt.ixon.net is an alias of a.ixon.net, 203.0.113.10.
    static let aliasAnswer: [UInt8] = [
        0x12, 0x34, 0x81, 0x80,  // id; a response, recursion desired and available, no error
        0, 1, 0, 2, 0, 0, 0, 0,  // one question, two answers
        4, 0x6d, 0x71, 0x74, 0x74, 4, 0x69, 0x78, 0x6f, 0x6e, 3, 0x6e, 0x65, 0x74, 0,  // at 12
        0, 1, 0, 1,  // A, IN
        0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 120, 0, 4, 1, 0x61, 0xc0, 17,  // CNAME a + "ixon.net"
        0xc0, 43, 0, 1, 0, 1, 0, 0, 0, 90, 0, 4, 203, 0, 113, 10,  // A of a.ixon.net, at 43
    ]

    @Test("an answer with an alias and compressed names, byte by byte")
    func answer() throws {
        let message = try DNSMessage(decoding: Self.aliasAnswer)
        #expect(message.id == 0x1234)
        #expect(message.isResponse && message.isRecursionDesired && !message.isTruncated)
        #expect(message.responseCode == .noError)
        #expect(message.question.name == DomainName("mqtt.ixon.net"))
        #expect(message.question.type == 1 && message.question.recordClass == 1)
        let name = try #require(DomainName("mqtt.ixon.net"))
        let alias = try #require(DomainName("a.ixon.net"))
        #expect(
            message.answers == [
                .init(name: name, timeToLiveSeconds: 120, data: .alias(alias)),
                .init(
                    name: alias, timeToLiveSeconds: 90, data: .address(try address("203.0.113.10"))),
            ])
    }

    @Test("a query is what RFC 1035 says, and is read back")
    func query() throws {
        let name = try #require(DomainName("mqtt.ixon.net"))
        let bytes = DNSMessage.query(id: 0xabcd, name: name)
        #expect(
            bytes == [
                0xab, 0xcd, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0,
                4, 0x6d, 0x71, 0x74, 0x74, 4, 0x69, 0x78, 0x6f, 0x6e, 3, 0x6e, 0x65, 0x74, 0,
                0, 1, 0, 1,
            ])
        let read = try DNSMessage(decoding: bytes)
        #expect(!read.isResponse && read.question.name == name && read.answers.isEmpty)
    }

    @Test("a reply repeats the question letter for letter and carries its addresses")
    func reply() throws {
        var bytes = DNSMessage.query(id: 7, name: try #require(DomainName("mqtt.ixon.net")))
        bytes[13] = UInt8(ascii: "M")
        let query = try DNSMessage(decoding: bytes)
        let addresses = [try address("203.0.113.10"), try address("203.0.113.11")]
        let reply = DNSMessage.reply(
            to: query, .noError, addresses: addresses, timeToLiveSeconds: 61)
        #expect(Array(reply[12..<31]) == Array(bytes[12..<31]))
        let read = try DNSMessage(decoding: reply)
        #expect(read.isResponse && read.id == 7)
        #expect(read.answers.map(\.data) == addresses.map { .address($0) })
        #expect(read.answers.allSatisfy { $0.timeToLiveSeconds == 61 })
        let refusal = try DNSMessage(decoding: DNSMessage.reply(to: query, .refused))
        #expect(refusal.responseCode == .refused && refusal.answers.isEmpty)
    }

    @Test("the longest name with the most addresses still fits into 512 bytes")
    func longestReply() throws {
        let label = String(repeating: "a", count: 61)
        let name = try #require(
            DomainName([label, label, label, label, "ab"].joined(separator: ".")))
        let query = try DNSMessage(decoding: DNSMessage.query(id: 1, name: name))
        let addresses = (1...16).map { IPv4Address(value: 0x0101_0100 + $0) }
        let reply = DNSMessage.reply(to: query, .noError, addresses: addresses)
        #expect(reply.count <= 512)
        #expect(try DNSMessage(decoding: reply).answers.count >= 14)
    }

    @Test("a compression pointer that does not point backwards is refused, a loop too")
    func loops() throws {
        func message(_ name: [UInt8]) -> [UInt8] {
            [0, 1, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0] + name + [0, 1, 0, 1]
        }
        let names: [[UInt8]] = [
            [0xc0, 12],  // at itself
            [0xc0, 14],  // forwards
            [0xc0, 0],  // into the header
            [1, 0x61, 0xc0, 12],  // at its own beginning
            [0x40, 0], [0x80, 0],  // reserved kinds of label
        ]
        for name in names {
            #expect(throws: DNSMessage.Fault.malformedName) {
                try DNSMessage(decoding: message(name))
            }
        }
        // Two records whose names point at each other: the first of them points forwards.
        var mutual = message([0])
        mutual[7] = 2
        mutual += [1, 0x61, 0xc0, 29, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0] + [1, 0x62, 0xc0, 17]
        #expect(throws: DNSMessage.Fault.malformedName) { try DNSMessage(decoding: mutual) }
    }

    @Test("a name of more than 255 bytes is refused, also when pointers glue it together")
    func longName() {
        var bytes: [UInt8] = [0, 1, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]
        for _ in 0..<3 { bytes += [63] + [UInt8](repeating: 0x61, count: 63) }
        bytes += [0, 0, 1, 0, 1]
        #expect(throws: Never.self) { try DNSMessage(decoding: bytes.replacing(at: 7, with: 0)) }
        bytes += [63] + [UInt8](repeating: 0x62, count: 63) + [0xc0, 12]
        #expect(throws: DNSMessage.Fault.malformedName) { try DNSMessage(decoding: bytes) }
    }

    @Test("what is cut anywhere is refused or has fewer answers, never more")
    func truncations() {
        for length in 0..<Self.aliasAnswer.count {
            let cut = Array(Self.aliasAnswer.prefix(length))
            #expect((try? DNSMessage(decoding: cut)) == nil)
        }
    }

    @Test("a name that is no host name is readable but on no list")
    func oddNames() throws {
        var bytes = DNSMessage.query(id: 1, name: try #require(DomainName("ab.cd")))
        bytes[13] = 0x20
        #expect(try DNSMessage(decoding: bytes).question.name == nil)
        bytes[13] = 0xff
        #expect(try DNSMessage(decoding: bytes).question.name == nil)
    }

    @Test("100,000 mutated messages: none crashes, every accepted one keeps the limits")
    func fuzz() {
        var random = SeededGenerator(seed: 0x1035)
        var accepted = 0
        for _ in 0..<100_000 {
            var bytes = Self.aliasAnswer
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                switch Int.random(in: 0..<4, using: &random) {
                case 0 where !bytes.isEmpty:
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] =
                        UInt8.random(in: 0...255, using: &random)
                case 1:
                    bytes.removeLast(Int.random(in: 0...bytes.count, using: &random) / 4)
                case 2:
                    bytes.insert(
                        [0xc0, 0x0c, 0xff, 0, 63].randomElement(using: &random) ?? 0,
                        at: Int.random(in: 0...bytes.count, using: &random))
                default:
                    let start = Int.random(in: 0...bytes.count, using: &random)
                    bytes += bytes[start...].prefix(80)
                }
            }
            guard let message = try? DNSMessage(decoding: bytes) else { continue }
            accepted += 1
            #expect(message.answers.count <= DNSMessage.answersMax)
            #expect(DNSMessage.reply(to: message, .noError).count <= DNSMessage.replyBytesMax)
        }
        // The mutations must not all be of the kind that the first check refuses.
        #expect(accepted > 5_000)
    }
}

func address(_ text: String) throws -> IPv4Address { try #require(IPv4Address(text)) }

extension [UInt8] {
    fileprivate func replacing(at index: Int, with byte: UInt8) -> [UInt8] {
        var copy = self
        copy[index] = byte
        return copy
    }
}
