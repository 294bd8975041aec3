import Base
import Glibc
import Linux
import Logging
import Settings
import TestSupport
import Testing

@testable import Firewall

/// Signs of an attack, as a dialogue of looks once a second.
@Suite struct AttackSignTests {
    private struct Dialogue {
        var signs = AttackSigns()
        var limits = Settings.Firewall.Alarm()
        var now: Int64 = 0
        var count: UInt64 = 0
        let sign = AttackSigns.Sign(.wan, .drops)

        /// A second later, with so many more packets.
        mutating func look(_ more: UInt64, seconds: Int64 = 1, percent: UInt64? = nil) {
            now += seconds
            count += more
            signs.handle(
                .init(counts: [sign: count], conntrackPercent: percent), limits: limits,
                at: Instant(nanoseconds: now * 1_000_000_000))
        }

        var active: AttackSigns.Active? { signs.active.first { $0.sign == sign } }
    }

    @Test(
        "behaviour 2.10: it begins with the second look at its limit, and keeps rate, peak and total"
    )
    func begins() {
        var dialogue = Dialogue()
        dialogue.look(5_000)
        #expect(dialogue.active == nil, "the first look has nothing to compare with")
        dialogue.look(199)
        dialogue.look(200)
        #expect(dialogue.active == nil)
        dialogue.look(100)
        dialogue.look(1_000)
        #expect(dialogue.active == nil, "a second of it is a burst")
        dialogue.look(300)
        let begun = dialogue.active
        #expect(begun?.since == Instant(nanoseconds: 4_000_000_000))
        #expect(begun?.total == 1_300)
        dialogue.look(900)
        #expect(dialogue.active?.rate == 900)
        #expect(dialogue.active?.peak == 900)
        #expect(dialogue.active?.total == 2_200)
    }

    @Test(
        "behaviour 2.10: it ends after ten seconds below half, each time later when it comes again")
    func ends() {
        var dialogue = Dialogue()
        dialogue.look(0)
        for calm in [10, 20, 40] {
            dialogue.look(500)
            dialogue.look(500)
            for _ in 1..<calm { dialogue.look(99) }
            #expect(dialogue.active != nil)
            dialogue.look(100)
            for _ in 1..<calm { dialogue.look(0) }
            #expect(dialogue.active != nil, "\(calm)")
            dialogue.look(0)
            #expect(dialogue.active == nil, "\(calm)")
        }
        for _ in 0..<600 { dialogue.look(0) }
        dialogue.look(500)
        dialogue.look(500)
        for _ in 0..<10 { dialogue.look(0) }
        #expect(dialogue.active == nil, "after ten quiet minutes it is the first again")
    }

    @Test(
        "looks that follow too closely measure nothing; a counter begun anew is no jump; 0 is not watched"
    )
    func odd() {
        var dialogue = Dialogue()
        dialogue.look(0)
        dialogue.look(100_000, seconds: 0)
        dialogue.look(0, seconds: 1_000)
        #expect(dialogue.active == nil, "a hundred a second over all this time")
        dialogue.count = 10
        dialogue.look(0)
        dialogue.look(0)
        #expect(dialogue.active == nil)
        dialogue.look(500)
        dialogue.look(500)
        #expect(dialogue.active != nil)
        dialogue.limits.drops = 0
        dialogue.look(500)
        #expect(dialogue.active == nil)
    }

    @Test("behaviour 2.10: a table of connections that fills up is a sign, too")
    func conntrack() {
        var dialogue = Dialogue()
        for percent: UInt64 in [79, 80, 81] { dialogue.look(0, percent: percent) }
        #expect(dialogue.signs.active.map(\.sign) == [.init(.router, .conntrack)])
        #expect(dialogue.signs.active.first?.rate == 81)
        for _ in 0..<10 { dialogue.look(0, percent: 39) }
        #expect(dialogue.signs.active.isEmpty)
    }

    @Test("behaviour 2.6: what is dropped goes by way of the notes, which end in a drop themselves")
    func text() throws {
        let ruleset = Ruleset(for: try examplePolicy())
        let lines = ruleset.text().split(separator: "\n").map { $0.filter { $0 != "\t" } }
        let dropping = lines.filter {
            $0.hasPrefix("iifname") && $0.contains("counter name wan_to_router")
        }
        #expect(dropping.allSatisfy { $0.hasSuffix("counter name wan_to_router goto refused_wan") })
        #expect(!dropping.isEmpty)
        #expect(lines.contains("counter name egress goto refused_router"))
        #expect(lines.contains("counter name other_to_router drop"))
        for zone in Ruleset.refusedZones {
            let chain = try #require(ruleset.chains.first { $0.name == Ruleset.refused(zone) })
            #expect(chain.rules.last == "drop")
        }
        let plain = ruleset.withoutNotes.text()
        #expect(!plain.contains("goto refused") && !plain.contains("limit rate"))
        #expect(ruleset.withoutNotes.chains.map(\.name) == ruleset.chains.map(\.name))
    }

    @Test("behaviour 2.6: which counter it was follows from zone and receiver")
    func counter() throws {
        let policy = try examplePolicy()
        func counter(_ zone: AttackSigns.Zone, _ to: String) throws -> Ruleset.Counter {
            RefusedPackets(
                zone: zone, source: try address("10.1.0.66"), destination: try address(to),
                protocolNumber: 6, detail: 22, packets: 1
            ).counter(policy)
        }
        #expect(try counter(.wan, "10.1.0.2") == .wanToRouter)
        #expect(try counter(.wan, "192.168.140.10") == .wanToLAN)
        #expect(try counter(.lan, "192.168.140.1") == .lanToRouter)
        #expect(try counter(.lan, "224.0.0.251") == .lanToRouter)
        #expect(try counter(.lan, "10.8.0.6") == .lanToVPN)
        #expect(try counter(.lan, "8.8.8.8") == .lanToWAN)
        #expect(try counter(.vpn, "192.168.140.10") == .vpnToLAN)
        #expect(try counter(.router, "8.8.8.8") == .egress)
    }
}

/// The same against the kernel.
@Suite(.enabled(if: NetworkNamespace.isAvailable, "needs CAP_SYS_ADMIN"))
struct RefusedTrafficTests {
    @Test("behaviour 2.6, 2.10: who knocks is noted with its port, and a flood is a sign")
    func knocks() async throws {
        let site = try await FirewallSite()
        try await site.firewall.apply(examplePolicy())
        var alarm = Settings.Firewall.Alarm()
        alarm.drops = 5
        alarm.new = 5
        alarm.syn = 0
        _ = try await site.firewall.status(alarm: alarm)
        #expect(try await tcp(site.wan, "10.1.0.2", 22) == EINPROGRESS)
        #expect(try await !ping(site.plc, "192.168.140.1"))
        #expect(try await tcp(site.plc, "10.1.0.66", 80) == EINPROGRESS)
        let noted = try await site.firewall.status(alarm: alarm).refused
        #expect(
            noted.map { "\($0.source) \($0.destination) \($0.service)" }.sorted() == [
                "10.1.0.66 10.1.0.2 tcp/22", "192.168.140.10 10.1.0.66 tcp/80",
                "192.168.140.10 192.168.140.1 icmp type 8",
            ])

        // Two looks, a second of it each.
        for _ in 0..<2 {
            let flood = try await site.wan.run(
                ["/usr/bin/ping", "-n", "-q", "-c100", "-i0.01", "-W1", "10.1.0.2"])
            #expect(!flood.exit.isSuccess)
            _ = try await site.firewall.status(alarm: alarm)
        }
        let status = try await site.firewall.status(alarm: alarm)
        #expect(status.signs.map(\.sign).contains(.init(.wan, .drops)))
        #expect(!status.signs.map(\.sign.zone).contains(.lan))
        #expect(try await site.dropped(.wanToRouter) > 200)
    }

    @Test("behaviour 2.10: connections that begin are counted by zone, those that go on are not")
    func flows() async throws {
        let site = try await FirewallSite()
        try await site.firewall.apply(examplePolicy(lanToWAN: .both))
        for port: UInt16 in 80..<90 {
            #expect(try await tcp(site.plc, "10.1.0.66", port) == ECONNREFUSED)
        }
        let counted = try await site.router.run(
            ["/usr/sbin/nft", "list", "counters", "table", "inet", "drawbridge"]
        ).output
        #expect(counted.contains("counter new_lan {\n\t\tpackets 10 "), "\(counted)")
        #expect(counted.contains("counter syn_lan {\n\t\tpackets 10 "))
        #expect(counted.contains("counter new_wan {\n\t\tpackets 0 "))
    }

    @Test("behaviour 2.6: a kernel that cannot note gets the rules without")
    func withoutNotes() async throws {
        let host = try NamespaceHost()
        let service = try await host.perform {
            FirewallService(
                table: PoorTable(kernel: try KernelFilterTable()),
                forwarding: try KernelForwarding(),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }
        try await service.apply(examplePolicy())
        #expect(try await service.status(alarm: .init()).isInForce)
        try await service.apply(examplePolicy(lanToWAN: .both))
        try await service.apply(examplePolicy(lanToWAN: .both))
        #expect(try await service.status(alarm: .init()).isInForce)
        let text = try await host.run(["/usr/sbin/nft", "list", "ruleset"]).output
        #expect(!text.contains("limit rate") && text.contains("masquerade"))
    }
}

/// A kernel without `nft_limit`.
private struct PoorTable: FilterTable {
    let kernel: KernelFilterTable

    func load(_ text: String) async throws {
        guard !text.contains("limit rate") else {
            throw FirewallError.refused(reason: "No such file or directory")
        }
        try await kernel.load(text)
    }

    func read() throws -> InstalledTable { try kernel.read() }
    func counters() throws -> [FirewallStatus.Counter] { try kernel.counters() }
    func hits(_ set: ExceptionSet) throws -> [ExceptionHits.Sample] { try kernel.hits(set) }
    func refused(_ zone: AttackSigns.Zone) throws -> [RefusedPackets] { try kernel.refused(zone) }
    func conntrackPercent() -> UInt64? { kernel.conntrackPercent() }
    func openAddresses() throws -> [OpenAddress] { try kernel.openAddresses() }
    func waitForForeignChange(until deadline: Instant) async throws -> ForeignChange? {
        try await kernel.waitForForeignChange(until: deadline)
    }
}
