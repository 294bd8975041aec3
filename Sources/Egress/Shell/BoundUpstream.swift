import Base
import Glibc
import Linux

/// Asks over one device and from one address, whichever uplink carries; over UDP only, for a few addresses fit a datagram.
struct BoundUpstream: Upstream {
    var interface: String
    var source: IPv4Address

    func ask(_ name: DomainName, at server: IPv4Address) async throws -> DNSMessage {
        let id = UInt16.random(in: 0...UInt16.max)
        let socket = try BoundSocket(
            SOCK_DGRAM, to: .init(address: server, port: 53), over: interface, source: source)
        let datagram = try await socket.exchange(
            DNSMessage.query(id: id, name: name), bytesMax: DNSMessage.bytesMax,
            until: SystemClock().now() + SocketUpstream.timeout)
        guard let answer = try? DNSMessage(decoding: datagram),
            SocketUpstream.answers(answer, id, name)
        else { throw SocketUpstream.Fault.malformed(server) }
        return answer
    }
}
