import Base
import Glibc
import Linux
import Settings
import TestSupport
import Testing

@testable import Uplinks

@Suite("DNS probe")
struct DNSProbeTests {
    private let probe = DNSProbe(identifier: 0xbeef)

    /// The query, turned into a response with this third byte.
    private func response(_ flags: UInt8 = 0x81, code: UInt8 = 0, questions: UInt8 = 1) -> [UInt8] {
        var bytes = probe.query
        (bytes[2], bytes[3], bytes[5]) = (flags, code, questions)
        return bytes
    }

    @Test("behaviour 4.12: a standard query for the root's address")
    func query() {
        #expect(
            probe.query
                == [
                    0xbe, 0xef, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, /* . */ 0, /* A */ 0, 1, /* IN */ 0,
                    1,
                ])
    }

    @Test("behaviour 4.12: any response with its number counts, a refusal, too; nothing else does")
    func responses() {
        #expect(probe.isAnswered(by: response()))
        #expect(probe.isAnswered(by: response(code: 5)))
        #expect(probe.isAnswered(by: Array(response(0x83).prefix(17)) + [1, 2, 3]))
        #expect(probe.isAnswered(by: Array(response(questions: 0).prefix(12))))
        #expect(!probe.isAnswered(by: probe.query))
        #expect(!probe.isAnswered(by: response(0xa9)))
        #expect(!probe.isAnswered(by: response(questions: 2)))
        #expect(!DNSProbe(identifier: 0xbeee).isAnswered(by: response()))
        var other = response()
        other[12] = 3
        #expect(!probe.isAnswered(by: other))
    }

    @Test("behaviour 4.12: no datagram breaks it, and none that is cut short counts")
    func fuzz() {
        var generator = SeededGenerator(seed: 53)
        for length in 0..<17 {
            #expect(!probe.isAnswered(by: Array(response().prefix(length))))
        }
        var accepted = 0
        for _ in 0..<50_000 {
            var bytes = response() + [0, 1, 2]
            bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator))
            for _ in 0..<Int.random(in: 0...3, using: &generator) where !bytes.isEmpty {
                bytes[Int.random(in: bytes.indices, using: &generator)] = .random(
                    in: .min ... .max, using: &generator)
            }
            if probe.isAnswered(by: bytes) { accepted += 1 }
        }
        #expect(accepted > 0)
    }
}

/// On the kernel's loopback, in a network namespace of its own.
@Suite("Target prober", .enabled(if: NetworkNamespace.isAvailable), .timeLimit(.minutes(1)))
struct TargetProberTests {
    private static func uplink(_ probes: [Settings.ProbeTarget]) -> Settings.Uplink {
        var keepAlive = Settings.KeepAlive(
            targets: [], interval: .seconds(1), timeout: .milliseconds(500), failures: 3,
            successes: 3)
        keepAlive.probes = probes
        return Settings.Uplink(name: "a", interface: "lo", usesDHCP: false, keepAlive: keepAlive)
    }

    private static let source = IPv4Address(value: 0x7f00_0001)

    private static func probe(_ target: IPv4Address, _ sequence: UInt16) -> Probe {
        Probe(
            uplink: 0,
            path: UplinkPath(
                interface: "lo", interfaceIndex: 1, address: source, gateway: source),
            target: target, sequence: sequence)
    }

    private static func descriptors() -> Int {
        (0..<4096).count { fcntl($0, F_GETFD) >= 0 }
    }

    /// What arrives within a moment; `serve` plays the other side meanwhile.
    private static func answers(
        _ prober: TargetProber, _ serve: () throws -> Void = {}
    ) throws -> [UInt16] {
        var found: [UInt16] = []
        for _ in 0..<20 {
            try serve()
            usleep(5000)
            found += try prober.arrived(on: 0).map(\.sequence)
        }
        return found.sorted()
    }

    @Test(
        "behaviour 4.12: an open port, a closed one, a name server and a ping all answer, each with its number"
    )
    func kinds() throws {
        try NetworkNamespace.run {
            let hosts = (1...4).map { IPv4Address(value: 0x7f00_0000 + UInt32($0)) }
            let prober = try TargetProber(
                uplinks: [
                    Self.uplink([
                        .init(hosts[0]), .init(hosts[1], .connect(port: 443)),
                        .init(hosts[2], .connect(port: 444)), .init(hosts[3], .dns),
                    ])
                ], clock: SystemClock())
            let listener = try TCPListener(hosts[1], port: 443)
            let server = try DatagramSocket(listening: hosts[3], port: 53)
            for (sequence, host) in hosts.enumerated() {
                try prober.send(Self.probe(host, UInt16(sequence)))
            }
            let found = try Self.answers(prober) {
                guard let (question, peer) = try server.receive(bytesMax: 512) else { return }
                var bytes = question
                bytes[2] |= 0x80
                // A guess with another number, then the answer.
                try DatagramSocket.send(
                    [bytes[0] ^ 1] + bytes.dropFirst(), to: peer, on: server.descriptor)
                try DatagramSocket.send(bytes, to: peer, on: server.descriptor)
            }
            #expect(found == [0, 1, 2, 3])
            #expect((600...800).contains(prober.takeBytes(on: 0)))
            #expect(prober.takeBytes(on: 0) == 0)
            withExtendedLifetime(listener) {}
        }
    }

    @Test(
        "behaviour 4.12: who does not answer is not heard, and a thousand silent probes keep few sockets"
    )
    func silent() throws {
        try NetworkNamespace.run {
            let hosts = [IPv4Address(value: 0x7f00_0002), IPv4Address(value: 0x7f00_0003)]
            let prober = try TargetProber(
                uplinks: [
                    Self.uplink([.init(hosts[0], .dns), .init(hosts[1], .connect(port: 443))])
                ], clock: SystemClock())
            let server = try DatagramSocket(listening: hosts[0], port: 53)
            #expect(
                NetworkNamespace.run(
                    "/usr/sbin/nft",
                    [
                        "add table ip t; add chain ip t c { type filter hook output priority 0; };"
                            + "add rule ip t c ip daddr 127.0.0.3 tcp dport 443 drop"
                    ]) == 0)
            let before = Self.descriptors()
            for sequence in 0..<1000 {
                try prober.send(Self.probe(hosts[sequence % 2], UInt16(sequence)))
            }
            #expect(try Self.answers(prober) == [])
            #expect(Self.descriptors() < before + 80)
            withExtendedLifetime(server.descriptor) {}
        }
    }
}
