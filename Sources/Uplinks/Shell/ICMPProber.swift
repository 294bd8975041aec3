import Base
import Glibc
package import Linux
import Synchronization

/// Probes by ICMP echo (RFC 792), with a raw socket for each uplink, bound to its device and address.
///
/// All sockets are opened at once, by the thread (and in the network namespace) that makes the prober.
package final class ICMPProber: Prober {
    /// Most datagrams read in one go before the answers among them are handed on.
    private static let burstMax = 64
    /// Bytes of a request, and of its answer as a rule: an IPv4 header, and the message.
    static let echoBytes = 20 + 16

    /// One uplink's socket and what makes its probes recognizable.
    private final class Lane: Sendable {
        let socket: EchoSocket
        let identifier = UInt16.random(in: .min ... .max)
        /// 64 random bits that only an echo of our probe can know.
        let cookie = UInt64.random(in: .min ... .max)
        let boundTo = Mutex<UplinkPath?>(nil)
        let bytes = Atomic<Int>(0)

        init() throws(SystemError) {
            socket = try EchoSocket()
        }
    }

    private let lanes: [Lane]

    /// Opens a socket for each of `uplinks`; needs CAP_NET_RAW.
    package init(uplinks: Int) throws {
        do {
            lanes = try (0..<uplinks).map { _ in try Lane() }
        } catch let error as SystemError where error.code == EPERM || error.code == EACCES {
            throw MissingCapability(cause: error, capability: "CAP_NET_RAW")
        }
    }

    package func send(_ probe: Probe) throws(SystemError) {
        let lane = lanes[probe.uplink]
        if lane.boundTo.withLock({ $0 }) != probe.path {
            try lane.socket.bind(to: probe.path.interface, source: probe.path.address)
            lane.boundTo.withLock { $0 = probe.path }
        }
        let request = EchoPacket(
            identifier: lane.identifier, sequence: probe.sequence, cookie: lane.cookie)
        try lane.socket.send(request, to: probe.target)
        lane.bytes.add(Self.echoBytes, ordering: .relaxed)
    }

    package func takeBytes(on uplink: Int) -> Int {
        lanes[uplink].bytes.exchange(0, ordering: .relaxed)
    }

    /// What there is to wait on.
    func descriptor(on uplink: Int) -> Int32 { lanes[uplink].socket.descriptor }

    package func answers(on uplink: Int) async throws -> [ProbeAnswer] {
        while true {
            let answers = try arrived(on: uplink)
            if !answers.isEmpty { return answers }
            _ = try await Reactor.shared.wait(
                for: .readable, on: lanes[uplink].socket.descriptor)
        }
    }

    package func arrived(on uplink: Int) throws(SystemError) -> [ProbeAnswer] {
        let lane = lanes[uplink]
        var answers: [ProbeAnswer] = []
        for _ in 0..<Self.burstMax {
            guard let (datagram, arrival) = try lane.socket.receive() else { break }
            guard let reply = EchoReply(datagram: datagram),
                reply.packet.identifier == lane.identifier,
                reply.packet.cookie == lane.cookie
            else { continue }
            lane.bytes.add(datagram.count, ordering: .relaxed)
            answers.append(
                ProbeAnswer(
                    source: reply.source, sequence: reply.packet.sequence, arrival: arrival))
        }
        return answers
    }
}
