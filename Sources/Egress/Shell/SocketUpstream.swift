package import Base
import Linux

/// Asks over UDP from a random port with a random id, and over TCP when the answer was cut.
package struct SocketUpstream: Upstream {
    /// For one question to one server, TCP included.
    package static let timeout: Duration = .milliseconds(1500)
    /// Datagrams that are no answer to our question; after so many the server is given up.
    private static let straysMax = 64
    private static let port: UInt16 = 53

    package enum Fault: Error, Equatable, CustomStringConvertible {
        case timedOut(IPv4Address)
        /// Too many datagrams that do not answer our question: somebody may be guessing.
        case flooded(IPv4Address)
        case malformed(IPv4Address)

        package var description: String {
            switch self {
            case .timedOut(let server): "no answer from \(server) in time"
            case .flooded(let server): "only wrong answers from \(server)"
            case .malformed(let server): "an unreadable answer from \(server)"
            }
        }
    }

    package init() {}

    package func ask(_ name: DomainName, at server: IPv4Address) async throws -> DNSMessage {
        let deadline = SystemClock().now() + Self.timeout
        let id = UInt16.random(in: 0...UInt16.max)
        let query = DNSMessage.query(id: id, name: name)
        let answer = try await overUDP(query, id, name, server, deadline)
        guard answer.isTruncated else { return answer }
        return try await overTCP(query, id, name, server, deadline)
    }

    private func overUDP(
        _ query: [UInt8], _ id: UInt16, _ name: DomainName, _ server: IPv4Address,
        _ deadline: Instant
    ) async throws -> DNSMessage {
        // Connected: the kernel delivers only what comes from the server's address and port.
        let socket = try DatagramSocket(to: .init(address: server, port: Self.port))
        try socket.send(query)
        var strays = 0
        while strays <= Self.straysMax {
            guard let datagram = try socket.receive(bytesMax: DNSMessage.bytesMax) else {
                let outcome = try await Reactor.shared.wait(
                    for: .readable, on: socket.descriptor, until: deadline)
                if outcome == .timedOut { throw Fault.timedOut(server) }
                continue
            }
            if let answer = try? DNSMessage(decoding: datagram.bytes),
                Self.answers(answer, id, name)
            {
                return answer
            }
            strays += 1
        }
        throw Fault.flooded(server)
    }

    private func overTCP(
        _ query: [UInt8], _ id: UInt16, _ name: DomainName, _ server: IPv4Address,
        _ deadline: Instant
    ) async throws -> DNSMessage {
        let socket = try await StreamSocket(
            to: .init(address: server, port: Self.port), until: deadline)
        // A message over TCP follows its length (RFC 1035 §4.2.2).
        try await socket.writeAll([UInt8(query.count >> 8), UInt8(query.count & 0xff)] + query)
        let length = try await socket.read(exactly: 2)
        let count = Int(length[0]) << 8 | Int(length[1])
        guard count <= DNSMessage.bytesMax else { throw Fault.malformed(server) }
        let bytes = try await socket.read(exactly: count)
        guard let answer = try? DNSMessage(decoding: bytes), Self.answers(answer, id, name) else {
            throw Fault.malformed(server)
        }
        return answer
    }

    static func answers(_ answer: DNSMessage, _ id: UInt16, _ name: DomainName) -> Bool {
        answer.isResponse && answer.id == id && answer.question.name == name
            && answer.question.type == DNSMessage.RecordType.address
            && answer.question.recordClass == DNSMessage.internetClass
    }
}
