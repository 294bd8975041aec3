import Base
import Glibc
import Linux
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Egress
@testable import Settings

/// The whole service over sockets, against a real dnsmasq and against servers that cheat.
@Suite(.enabled(if: NetworkNamespace.isAvailable, "needs CAP_SYS_ADMIN"))
struct ResolverTests {
    private final class Opener: AddressOpener {
        let opened = Mutex<[IPv4Address]>([])
        func openForCheck(_ addresses: [IPv4Address], for duration: Duration) async throws {}

        func open(_ addresses: [IPv4Address], for duration: Duration) async throws {
            opened.withLock { $0 += addresses }
        }
    }

    private let opener = Opener()
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func service(_ host: NamespaceHost, servers: [String]) async throws -> EgressService {
        let dns = Settings.DNS(
            servers: try servers.map { try address($0) }, listen: try address("127.0.0.1"))
        return await host.perform {
            EgressService(
                dns: dns, allowed: [DomainPattern("*.ixon.net")].compactMap { $0 },
                opener: opener, clock: SystemClock(), logger: logger)
        }
    }

    /// Starts dnsmasq on 127.0.0.2 with a small zone; ready when this returns.
    private func dnsmasq(_ host: NamespaceHost) async throws -> ChildProcess {
        let big = (1...60).map { "--host-record=big.ixon.net,198.51.100.\($0)" }
        let child = try await host.perform {
            try ChildProcess(
                [
                    "/usr/sbin/dnsmasq", "--no-daemon", "--conf-file=/dev/null",
                    "--no-resolv", "--no-hosts", "--pid-file",
                    "--bind-interfaces", "--listen-address=127.0.0.2", "--except-interface=none",
                    "--host-record=mqtt.ixon.net,203.0.113.10,120",
                    "--cname=alias.ixon.net,mqtt.ixon.net,90",
                    "--host-record=evil.example,203.0.113.66",
                    "--cname=evil.ixon.net,evil.example", "--host-record=lan.ixon.net,10.1.2.3",
                ] + big)
        }
        let ready = try await host.eventually {
            try await host.exchange(
                DNSMessage.query(id: 1, name: #require(DomainName("mqtt.ixon.net"))),
                with: address("127.0.0.2")) != nil
        }
        try #require(ready, "dnsmasq does not answer")
        return child
    }

    private func ask(_ host: NamespaceHost, _ text: String, id: UInt16 = 9) async throws
        -> DNSMessage
    {
        let query = DNSMessage.query(id: id, name: try #require(DomainName(text)))
        return try DNSMessage(
            decoding: try #require(await host.exchange(query, with: address("127.0.0.1"))))
    }

    @Test("a program asks over UDP: listed names are answered and open, others refused")
    func endToEnd() async throws {
        let host = try NamespaceHost()
        let server = try await dnsmasq(host)
        let service = try await service(host, servers: ["127.0.0.2"])
        let running = Task { try await service.run() }
        try #require(
            try await host.eventually {
                try await host.exchange(
                    DNSMessage.query(id: 1, name: #require(DomainName("x.example"))),
                    with: address("127.0.0.1")) != nil
            })
        let cloud = try address("203.0.113.10")
        let direct = try await ask(host, "mqtt.ixon.net", id: 0xbeef)
        #expect(direct.id == 0xbeef && direct.answers.map(\.data) == [.address(cloud)])
        let alias = try await ask(host, "alias.ixon.net")
        #expect(alias.answers.map(\.data) == [.address(cloud)])
        let seconds = try #require(alias.answers.first).timeToLiveSeconds
        #expect((1...90).contains(seconds))
        #expect(opener.opened.withLock { $0 } == [cloud, cloud])

        #expect(try await ask(host, "evil.ixon.net").responseCode == .refused)
        #expect(try await ask(host, "evil.example").responseCode == .refused)
        #expect(try await ask(host, "lan.ixon.net").responseCode == .refused)
        #expect(opener.opened.withLock { $0 } == [cloud, cloud])

        running.cancel()
        // Cancelled is a normal end.
        try await running.value
        _ = await server.stop(grace: .seconds(2))
    }

    @Test("an answer that was cut is asked for again over TCP")
    func truncated() async throws {
        let host = try NamespaceHost()
        let server = try await dnsmasq(host)
        let service = try await service(host, servers: ["127.0.0.2"])
        let addresses = try await service.resolve(#require(DomainName("big.ixon.net")))
        #expect(addresses.count == EgressPolicy.addressesMax)
        #expect(addresses.allSatisfy { $0.description.hasPrefix("198.51.100.") })
        _ = await server.stop(grace: .seconds(2))
    }

    @Test("a dead server is passed over; with none left the failure names the last reason")
    func deadServers() async throws {
        let host = try NamespaceHost()
        let server = try await dnsmasq(host)
        let name = try #require(DomainName("mqtt.ixon.net"))
        let both = try await service(host, servers: ["127.0.0.9", "127.0.0.2"])
        #expect(try await both.resolve(name) == [try address("203.0.113.10")])
        _ = await server.stop(grace: .seconds(2))
        let none = try await service(host, servers: ["127.0.0.9"])
        await #expect(
            throws: EgressError.unanswered(
                name, reason: "cannot receive a datagram: Connection refused")
        ) { try await none.resolve(name) }
        #expect(await !none.status().serversAnswer)
    }

    @Test("a wrong id, another question, or another sender is not an answer; the right one is")
    func spoofed() async throws {
        let host = try NamespaceHost()
        let service = try await service(host, servers: ["127.0.0.3"])
        let cheat = try await host.perform {
            try Cheat(at: address("127.0.0.3"), and: address("127.0.0.4"))
        }
        let name = try #require(DomainName("mqtt.ixon.net"))
        let serving = Task {
            try await cheat.serve { query in
                let evil = [try address("203.0.113.66")]
                var wrongID = query
                wrongID.id &+= 1
                let otherName = try #require(DomainName("other.ixon.net"))
                let other = try DNSMessage(
                    decoding: DNSMessage.query(id: query.id, name: otherName))
                return [
                    (true, DNSMessage.reply(to: wrongID, .noError, addresses: evil)),
                    (true, DNSMessage.reply(to: other, .noError, addresses: evil)),
                    (
                        true,
                        Array(DNSMessage.reply(to: query, .noError, addresses: evil).prefix(20))
                    ),
                    (false, DNSMessage.reply(to: query, .noError, addresses: evil)),
                    (
                        true,
                        DNSMessage.reply(
                            to: query, .noError, addresses: [try address("203.0.113.10")],
                            timeToLiveSeconds: 90)
                    ),
                ]
            }
        }
        let resolved = try await service.resolve(name)
        #expect(resolved == [try address("203.0.113.10")])
        try await serving.value
        #expect(opener.opened.withLock { $0 } == resolved)
    }

    @Test("a flood of wrong answers ends the question instead of holding it")
    func flooded() async throws {
        let host = try NamespaceHost()
        let service = try await service(host, servers: ["127.0.0.3"])
        let cheat = try await host.perform {
            try Cheat(at: address("127.0.0.3"), and: address("127.0.0.4"))
        }
        let serving = Task {
            try await cheat.serve(times: 3) { query in
                var wrong = query
                wrong.id &+= 1
                return [(Bool, [UInt8])](
                    repeating: (true, DNSMessage.reply(to: wrong, .noError)), count: 100)
            }
        }
        let name = try #require(DomainName("mqtt.ixon.net"))
        await #expect(
            throws: EgressError.unanswered(name, reason: "only wrong answers from 127.0.0.3")
        ) { try await service.resolve(name) }
        try await serving.value
    }

    @Test("when port 53 is taken, the error says where")
    func portTaken() async throws {
        let host = try NamespaceHost()
        let service = try await service(host, servers: ["127.0.0.2"])
        let owner = try await host.perform {
            try Cheat(at: address("127.0.0.1"), and: address("127.0.0.4"))
        }
        await #expect(throws: SystemError("listen on 127.0.0.1 udp/53", code: EADDRINUSE)) {
            try await service.run()
        }
        withExtendedLifetime(owner) {}
    }
}

extension NamespaceHost {
    /// Sends one datagram to port 53 and waits a moment for the answer.
    func exchange(_ query: [UInt8], with server: IPv4Address) async throws -> [UInt8]? {
        let socket = try DatagramSocket(to: .init(address: server, port: 53))
        try? socket.send(query)
        for _ in 0..<2 {
            do throws(SystemError) {
                if let answer = try socket.receive(bytesMax: 4096) { return answer.bytes }
            } catch {
                return nil  // Nobody listens yet.
            }
            _ = try await Reactor.shared.wait(
                for: .readable, on: socket.descriptor,
                until: SystemClock().now() + .milliseconds(2500))
        }
        return nil
    }

    /// Asks again until it is so, for at most five seconds.
    func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
        for _ in 0..<100 {
            if try await condition() { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }
}

/// A name server at one address and a stranger at another, listening from the start.
private final class Cheat: Sendable {
    private let own: DatagramSocket
    private let stranger: DatagramSocket

    init(at server: IPv4Address, and other: IPv4Address) throws(SystemError) {
        own = try DatagramSocket(listening: server, port: 53)
        stranger = try DatagramSocket(listening: other, port: 53)
    }

    /// Answers so many queries with several datagrams: true, from the server; false, the stranger.
    func serve(
        times: Int = 1, _ replies: (DNSMessage) throws -> [(Bool, [UInt8])]
    ) async throws {
        var served = 0
        while served < times {
            guard let query = try own.receive(bytesMax: 1024) else {
                let outcome = try await Reactor.shared.wait(
                    for: .readable, on: own.descriptor, until: SystemClock().now() + .seconds(5))
                if outcome == .timedOut { return }
                continue
            }
            for (isOwn, reply) in try replies(DNSMessage(decoding: query.bytes)) {
                let raw = isOwn ? own.descriptor : stranger.descriptor
                // A client that has given up refuses what comes late.
                try? DatagramSocket.send(reply, to: query.peer, on: raw)
            }
            served += 1
        }
    }
}
