import Base
import Linux
import Logging
import Synchronization
import Testing

@testable import Egress
@testable import Settings

/// The service with servers, firewall and clock of the test's making.
@Suite struct EgressServiceTests {
    /// What happened, in order.
    final class Journal: Sendable {
        private let lines = Mutex<[String]>([])
        func note(_ line: String) { lines.withLock { $0.append(line) } }
        func take() -> [String] {
            lines.withLock { lines in
                defer { lines = [] }
                return lines
            }
        }
    }

    final class Opener: AddressOpener {
        let journal: Journal
        let fails = Mutex(false)
        init(_ journal: Journal) { self.journal = journal }
        func openForCheck(_ addresses: [IPv4Address], for duration: Duration) async throws {}

        func open(_ addresses: [IPv4Address], for duration: Duration) async throws {
            if fails.withLock({ $0 }) { throw SystemError("open addresses", code: 1) }
            let list = addresses.map(\.description).joined(separator: ",")
            journal.note("open \(list) \(DurationText.format(duration))")
        }
    }

    /// Answers from a table of `name` → records; a server that is not "up" stays silent.
    final class Servers: Upstream {
        let journal: Journal
        let up = Mutex<Set<String>>(["9.9.9.9", "1.1.1.1"])
        let zone: [String: [(String, UInt32, String)]]
        init(_ journal: Journal, _ zone: [String: [(String, UInt32, String)]]) {
            self.journal = journal
            self.zone = zone
        }
        func ask(_ name: DomainName, at server: IPv4Address) async throws -> DNSMessage {
            journal.note("ask \(server) \(name)")
            guard up.withLock({ $0.contains(server.description) }) else {
                throw SocketUpstream.Fault.timedOut(server)
            }
            var message = try DNSMessage(decoding: DNSMessage.query(id: 0, name: name))
            message.isResponse = true
            guard let records = zone[name.description] else {
                message.responseCode = .noSuchName
                return message
            }
            message.answers = records.compactMap { owner, seconds, data in
                DomainName(owner).map { owner in
                    DNSMessage.Record(
                        name: owner, timeToLiveSeconds: seconds,
                        data: IPv4Address(data).map { .address($0) } ?? .alias(DomainName(data)))
                }
            }
            return message
        }
    }

    final class Clock: MonotonicClock {
        let time = Mutex(Instant.boot)
        func now() -> Instant { time.withLock { $0 } }
        func sleep(until deadline: Instant) async throws {}
        func advance(_ duration: Duration) { time.withLock { $0 += duration } }
    }

    private let journal = Journal()
    private let opener: Opener
    private let servers: Servers
    private let clock = Clock()
    private let service: EgressService

    init() throws {
        opener = Opener(journal)
        servers = Servers(
            journal,
            [
                "mqtt.ixon.net": [("mqtt.ixon.net", 300, "203.0.113.10")],
                "evil.ixon.net": [
                    ("evil.ixon.net", 300, "evil.example"), ("evil.example", 300, "203.0.113.66"),
                ],
                "lan.ixon.net": [("lan.ixon.net", 300, "192.168.140.10")],
                "v6.ixon.net": [],
                "fast.ixon.net": [("fast.ixon.net", 2, "203.0.113.20")],
            ])
        service = EgressService(
            dns: Settings.DNS(
                servers: [try address("9.9.9.9"), try address("1.1.1.1")],
                listen: try address("127.0.0.1")),
            allowed: [DomainPattern("*.ixon.net")].compactMap { $0 }, opener: opener,
            upstream: servers, clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func name(_ text: String) throws -> DomainName { try #require(DomainName(text)) }

    private func ask(_ text: String, type: UInt16 = 1) async throws -> DNSMessage {
        var bytes = DNSMessage.query(id: 77, name: try name(text))
        bytes[bytes.count - 3] = UInt8(type)
        return try DNSMessage(decoding: try #require(await service.reply(to: bytes)))
    }

    /// Knows one program.
    private struct Finder: AskerFinder {
        func asker(at address: IPv4Address, port: UInt16) -> AskerLog.Asker? {
            port == 4000 ? .init(uid: 33, user: "www-data", program: "curl") : nil
        }
    }

    @Test(
        "behaviour 3.5: who asks for a name that is not on the list is counted, by user and program"
    )
    func askers() async throws {
        let service = EgressService(
            dns: Settings.DNS(servers: [], listen: try address("127.0.0.1")),
            allowed: [DomainPattern("*.ixon.net")].compactMap { $0 }, opener: opener,
            upstream: servers, askers: Finder(), clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        func ask(_ text: String, from port: UInt16) async throws {
            _ = await service.reply(
                to: DNSMessage.query(id: 1, name: try name(text)),
                from: .init(address: try address("127.0.0.1"), port: port))
        }
        try await ask("ads.example", from: 4000)
        try await ask("mqtt.ixon.net", from: 4000)
        try await ask("other.example", from: 4001)
        for _ in 0..<20 { try await ask("more.example", from: 4000) }
        let status = await service.status()
        #expect(status.refused.reduce(0) { $0 + $1.count } == 22)
        // Ten look-ups a second, one of which found nothing.
        #expect(
            status.askers == [
                .init(
                    asker: .init(uid: 33, user: "www-data", program: "curl"), count: 9,
                    name: "more.example")
            ])
        clock.advance(.seconds(1))
        try await ask("last.example", from: 4000)
        #expect(await service.status().askers.first?.count == 10)
    }

    @Test("behaviour 3.3: the addresses are open before the program has its answer")
    func opensFirst() async throws {
        let reply = try await ask("mqtt.ixon.net")
        #expect(journal.take() == ["ask 9.9.9.9 mqtt.ixon.net", "open 203.0.113.10 6m"])
        #expect(reply.responseCode == .noError && reply.id == 77)
        #expect(reply.answers.map(\.data) == [.address(try address("203.0.113.10"))])
        #expect(reply.answers.map(\.timeToLiveSeconds) == [300])
    }

    @Test("behaviour 3.3: from the cache, the addresses are opened again for what is left")
    func cache() async throws {
        _ = try await service.resolve(name("mqtt.ixon.net"))
        clock.advance(.seconds(200))
        _ = journal.take()
        let reply = try await ask("mqtt.ixon.net")
        #expect(journal.take() == ["open 203.0.113.10 2m40s"])
        #expect(reply.answers.map(\.timeToLiveSeconds) == [100])
        clock.advance(.seconds(100))
        _ = try await ask("mqtt.ixon.net")
        #expect(journal.take() == ["ask 9.9.9.9 mqtt.ixon.net", "open 203.0.113.10 6m"])
    }

    @Test(
        "behaviour 3.3: a cloud that moves every two seconds is followed, and what was told stays open"
    )
    func rotation() async throws {
        _ = try await ask("fast.ixon.net")
        #expect(journal.take() == ["ask 9.9.9.9 fast.ixon.net", "open 203.0.113.20 2m"])
        clock.advance(.seconds(2))
        _ = try await ask("fast.ixon.net")
        #expect(journal.take() == ["ask 9.9.9.9 fast.ixon.net", "open 203.0.113.20 2m"])
        #expect(await service.status().opened.map(\.names) == [[try name("fast.ixon.net")]])
    }

    @Test("behaviour 3.1: another name is refused without asking anybody, and counted")
    func refused() async throws {
        for _ in 0..<3 {
            #expect(try await ask("telemetry.example").responseCode == .refused)
        }
        #expect(try await ask("telemetry.example", type: 28).responseCode == .refused)
        await #expect(throws: EgressError.notAllowed(try name("ixon.net"))) {
            try await service.resolve(name("ixon.net"))
        }
        #expect(journal.take() == [])
        let refused = await service.status().refused
        #expect(refused.map(\.name) == ["telemetry.example", "ixon.net"])
        #expect(refused.map(\.count) == [4, 1])
    }

    @Test("IPv6 addresses and other types of a name on the list: an empty answer")
    func otherTypes() async throws {
        for type in [28, 65, 16] as [UInt16] {
            let reply = try await ask("mqtt.ixon.net", type: type)
            #expect(reply.responseCode == .noError && reply.answers.isEmpty)
        }
        #expect(journal.take() == [])
        #expect(try await ask("v6.ixon.net").responseCode == .noError)
        #expect(try await ask("none.ixon.net").responseCode == .noSuchName)
    }

    @Test("behaviour 3.2: an answer that leads off the list or into the LAN opens nothing")
    func evilAnswers() async throws {
        #expect(try await ask("evil.ixon.net").responseCode == .refused)
        #expect(try await ask("lan.ixon.net").responseCode == .refused)
        #expect(!journal.take().contains { $0.hasPrefix("open") })
        let reasons = await service.status().refused.map(\.reason)
        #expect(Set(reasons) == [.alias, .address])
    }

    @Test("a silent server is passed over, and the one that answered is asked first from then on")
    func failover() async throws {
        servers.up.withLock { $0 = ["1.1.1.1"] }
        _ = try await service.resolve(name("mqtt.ixon.net"))
        #expect(
            journal.take() == [
                "ask 9.9.9.9 mqtt.ixon.net", "ask 1.1.1.1 mqtt.ixon.net", "open 203.0.113.10 6m",
            ])
        _ = try? await service.resolve(name("none.ixon.net"))
        #expect(journal.take() == ["ask 1.1.1.1 none.ixon.net"])
    }

    @Test("when no server answers it ends after the attempts, with a failure that is not cached")
    func allDead() async throws {
        servers.up.withLock { $0 = [] }
        #expect(try await ask("mqtt.ixon.net").responseCode == .serverFailure)
        #expect(journal.take().count == 3)
        #expect(await !service.status().serversAnswer)
        servers.up.withLock { $0 = ["9.9.9.9"] }
        #expect(try await ask("mqtt.ixon.net").responseCode == .noError)
        #expect(await service.status().serversAnswer)
    }

    @Test("what the firewall does not open is not answered")
    func openerFails() async throws {
        opener.fails.withLock { $0 = true }
        let reply = try await ask("mqtt.ixon.net")
        #expect(reply.responseCode == .serverFailure && reply.answers.isEmpty)
        #expect(await service.status().names.isEmpty)
    }

    @Test("what is no query gets no reply; what is an odd query gets a reason")
    func oddQueries() async throws {
        #expect(await service.reply(to: []) == nil)
        #expect(await service.reply(to: DNSMessageTests.aliasAnswer) == nil)
        var bytes = DNSMessage.query(id: 5, name: try name("mqtt.ixon.net"))
        bytes[2] = 0x20  // opcode 4, NOTIFY
        let notify = try DNSMessage(decoding: try #require(await service.reply(to: bytes)))
        #expect(notify.responseCode == .notImplemented)
        bytes = Array(DNSMessage.query(id: 0x0506, name: try name("mqtt.ixon.net")).prefix(20))
        let broken = try #require(await service.reply(to: bytes))
        #expect(broken == [5, 6, 0x80, 0x81, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(journal.take() == [])
    }

    @Test("the status names what is open and until when")
    func status() async throws {
        _ = try await service.resolve(name("mqtt.ixon.net"))
        let status = await service.status()
        #expect(
            status.names == [
                .init(
                    name: try name("mqtt.ixon.net"), addresses: [try address("203.0.113.10")],
                    expiresAt: Instant.boot + .seconds(300))
            ])
    }
}
