package import Base
import Linux
package import Logging
package import Settings

/// The router's only resolver: answers only names on the list, and opens their addresses first.
///
/// Nothing else opens the firewall, so a program that does not ask here reaches nothing.
package actor EgressService {
    private let executor = ThreadExecutor(name: "egress")
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    let dns: Settings.DNS
    let policy: EgressPolicy
    let opener: any AddressOpener
    private let upstream: any Upstream
    private let finder: any AskerFinder
    private let clock: any MonotonicClock
    private let logger: Logger
    private var cache = NameCache()
    private var opened = OpenedNames()
    private var refusals = RefusalLog()
    private var askers = AskerLog()
    private var preferredServer = 0
    /// Since when no name server answers.
    private var silentSince: Instant?
    private var inFlight = 0
    private var overloaded = 0

    private static let port: UInt16 = 53
    /// Longest query that is read from a program; a name has at most 255 bytes.
    private static let queryBytesMax = 1024
    /// Most questions that wait for an answer; what comes on top is dropped, and asked again.
    private static let inFlightMax = 32
    /// Questions to servers for one name; more when there are more servers.
    private static let attemptsMin = 3

    /// `forbidden`: networks that no answer may lead into, besides the special ones: LAN and VPN.
    package init(
        dns: Settings.DNS, allowed: [DomainPattern], forbidden: [CIDR] = [],
        opener: any AddressOpener, upstream: any Upstream = SocketUpstream(),
        askers finder: any AskerFinder = SocketAskers(), clock: any MonotonicClock, logger: Logger
    ) {
        self.dns = dns
        policy = EgressPolicy(allowed: allowed, forbidden: forbidden)
        self.opener = opener
        self.upstream = upstream
        self.finder = finder
        self.clock = clock
        self.logger = logger
    }

    /// Serves the router's own programs on `dns.listen`, UDP port 53, until cancelled.
    ///
    /// There is no TCP listener: no reply is ever too long for a datagram.
    package func run() async throws {
        let socket = try DatagramSocket(listening: dns.listen, port: Self.port)
        let descriptor = socket.descriptor
        logger.notice("resolver listens", metadata: ["address": "\(dns.listen)"])
        try await withThrowingDiscardingTaskGroup { group in
            while true {
                do {
                    _ = try await Reactor.shared.wait(for: .readable, on: descriptor)
                } catch is CancellationError {
                    group.cancelAll()
                    return
                }
                while let query = try socket.receive(bytesMax: Self.queryBytesMax) {
                    guard inFlight < Self.inFlightMax else {
                        overloaded += 1
                        continue
                    }
                    inFlight += 1
                    group.addTask { await self.serve(query.bytes, query.peer, descriptor) }
                }
            }
        }
    }

    private func serve(
        _ bytes: [UInt8], _ peer: DatagramSocket.Peer, _ descriptor: Int32
    ) async {
        defer { inFlight -= 1 }
        guard let reply = await reply(to: bytes, from: peer) else { return }
        do {
            try DatagramSocket.send(reply, to: peer, on: descriptor)
        } catch {
            logger.debug("reply not sent", metadata: ["error": "\(error)"])
        }
    }

    /// The reply to a program's query; nil: none.
    func reply(to bytes: [UInt8], from peer: DatagramSocket.Peer? = nil) async -> [UInt8]? {
        // Neither an id, nor a query.
        guard bytes.count >= 12, bytes[2] & 0x80 == 0 else { return nil }
        guard let query = try? DNSMessage(decoding: bytes) else {
            return DNSMessage.formatError(id: UInt16(bytes[0]) << 8 | UInt16(bytes[1]))
        }
        guard query.opcode == 0 else { return DNSMessage.reply(to: query, .notImplemented) }
        guard let name = query.question.name, policy.allows(name),
            query.question.recordClass == DNSMessage.internetClass
        else {
            let name = query.question.name?.description ?? "(unreadable)"
            noteAsker(peer, name)
            refuse(name, .name)
            return DNSMessage.reply(to: query, .refused)
        }
        // The name may be asked for, but only its IPv4 addresses are of use here.
        guard query.question.type == DNSMessage.RecordType.address else {
            return DNSMessage.reply(to: query, .noError)
        }
        do throws(EgressError) {
            let entry = try await lookUp(name)
            let rest = Int64((entry.expiresAt - clock.now()).inSeconds)
            return DNSMessage.reply(
                to: query, .noError, addresses: entry.addresses,
                timeToLiveSeconds: UInt32(clamping: max(1, rest)))
        } catch {
            return DNSMessage.reply(to: query, error.responseCode)
        }
    }

    /// The addresses of a name on the list, open in the firewall when this returns.
    package func resolve(_ name: DomainName) async throws(EgressError) -> [IPv4Address] {
        guard policy.allows(name) else {
            refuse(name.description, .name)
            throw .notAllowed(name)
        }
        return try await lookUp(name).addresses
    }

    private func lookUp(_ name: DomainName) async throws(EgressError) -> NameCache.Entry {
        if let known = cache.entry(name, at: clock.now()) {
            // Again: the firewall may have lost it since.
            try await open(name, known)
            return known
        }
        let (addresses, timeToLive) = try await ask(name)
        let now = clock.now()
        let entry = NameCache.Entry(addresses: addresses, expiresAt: now + timeToLive)
        try await open(name, entry)
        cache.insert(name, entry, at: now)
        return entry
    }

    private func open(_ name: DomainName, _ entry: NameCache.Entry) async throws(EgressError) {
        let now = clock.now()
        let time = EgressPolicy.openTime(entry.expiresAt - now)
        do {
            try await opener.open(entry.addresses, for: time)
        } catch {
            throw .notOpened(name, reason: "\(error)")
        }
        opened.note(entry.addresses, of: name, until: now + time, at: now)
    }

    /// Asks the servers in turn, the one that answered last first.
    private func ask(_ name: DomainName)
        async throws(EgressError) -> ([IPv4Address], timeToLive: Duration)
    {
        var reason = "there is none"
        for attempt in 0..<(dns.servers.isEmpty ? 0 : max(Self.attemptsMin, dns.servers.count)) {
            let server = dns.servers[preferredServer % dns.servers.count]
            do {
                let answer = try await upstream.ask(name, at: server)
                let verdict = policy.judge(answer, to: name)
                if !verdict.isUnusable { serversAnswered(true, "") }
                switch verdict {
                case .admitted(let addresses, let timeToLive):
                    return (addresses, timeToLive)
                case .noSuchName: throw EgressError.noSuchName(name)
                case .noAddress: throw EgressError.noAddress(name)
                case .aliasNotAllowed(let alias):
                    refuse(name.description, .alias)
                    throw EgressError.aliasNotAllowed(name, alias: alias)
                case .addressForbidden(let address):
                    refuse(name.description, .address)
                    throw EgressError.addressForbidden(name, address)
                case .unusable(let code): reason = "\(server) said code \(code.rawValue)"
                }
            } catch let error as EgressError {
                throw error
            } catch {
                reason = "\(error)"
                if error is CancellationError { throw .unanswered(name, reason: "cancelled") }
            }
            preferredServer = (preferredServer + 1) % dns.servers.count
            logger.debug(
                "name server failed",
                metadata: ["server": "\(server)", "attempt": "\(attempt)", "reason": "\(reason)"])
        }
        serversAnswered(false, reason)
        throw .unanswered(name, reason: reason)
    }

    private func serversAnswered(_ answer: Bool, _ reason: String) {
        guard answer != (silentSince == nil) else { return }
        silentSince = answer ? nil : clock.now()
        if answer {
            logger.notice("name servers answer again")
        } else {
            logger.notice("name servers do not answer", metadata: ["reason": "\(reason)"])
        }
    }

    /// Before the answer: the program still waits for it, so its socket is there.
    private func noteAsker(_ peer: DatagramSocket.Peer?, _ name: String) {
        guard let peer, askers.mayLookUp(at: clock.now()),
            let asker = finder.asker(at: peer.address, port: peer.port)
        else { return }
        askers.note(asker, name)
    }

    private func refuse(_ name: String, _ reason: RefusalLog.Reason) {
        guard refusals.note(name, reason, at: clock.now()) else { return }
        logger.notice(
            "name refused", metadata: ["name": "\(name)", "reason": "\(reason.rawValue)"])
    }

    /// What is open and what was refused.
    package func status() -> EgressStatus {
        EgressStatus(
            names: cache.live(at: clock.now()).map {
                EgressStatus.Name(
                    name: $0.name, addresses: $0.entry.addresses, expiresAt: $0.entry.expiresAt)
            },
            opened: opened.live(at: clock.now()), refused: refusals.entries,
            refusedOthers: refusals.others, askers: askers.entries, overloaded: overloaded,
            serversAnswer: silentSince == nil, silentSince: silentSince)
    }
}
