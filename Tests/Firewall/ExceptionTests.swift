import Base
import Glibc
import Linux
import Logging
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Firewall

/// Exceptions as rules and sets (`docs/behaviour.md` §2.7).
@Suite struct ExceptionRulesTests {
    @Test("behaviour 2.7: an exception is an element of a set, looked up in both directions")
    func golden() throws {
        let policy = try examplePolicy(allowed: [
            exception(
                .wan, .lan, source: "10.1.2.0/24", destination: "192.168.140.10/32", "tcp/502"),
            exception(.lan, .router, mac: "02:00:5e:10:00:01", "udp/123"),
        ])
        let ruleset = Ruleset(for: policy)
        #expect(ruleset.exceptions.map(\.name) == ["allow_lan_router_mac_0", "allow_wan_lan_0"])
        let text = ruleset.text()
        #expect(
            text.contains(
                "add element inet drawbridge allow_wan_lan_0 { 10.1.2.0-10.1.2.255 . 192.168.140.10 . tcp . 502 }"
            ))
        let rules = try #require(ruleset.chains.first { $0.name == "forward" }).rules
        for (uplink, mark) in [
            ("eth0", "0x64620103"), ("wlan0", "0x64620203"), ("wwan0", "0x64620303"),
        ] {
            let begins = "ct direction original ct state new,established"
            let key = "ip saddr . ip daddr . meta l4proto . th dport @allow_wan_lan_0"
            #expect(
                rules.contains(
                    #"iifname "\#(uplink)" oifname "br-lan" \#(begins) \#(key) ct mark set \#(mark) accept"#
                ))
        }
        #expect(
            rules.contains(
                #"iifname "br-lan" oifname { "eth0", "wlan0", "wwan0" } ct direction reply ct state established ip daddr . ip saddr . meta l4proto . th sport @allow_wan_lan_0 accept"#
            ))
    }

    @Test("exceptions that overlap go into different sets, and those that do not into one")
    func layers() throws {
        let allowed = [
            try exception(.wan, .lan, source: "10.1.0.0/16", "tcp/502"),
            try exception(.wan, .lan, destination: "192.168.140.10/32", "tcp/502"),
            try exception(.wan, .lan, source: "10.2.0.0/16", "tcp/503"),
        ]
        #expect(ExceptionBoxes(allowed).layers() == [0, 1, 0])
        #expect(ExceptionBoxes(allowed).covering().isEmpty)
        let covered = allowed + [try exception(.wan, .lan, source: "10.1.7.0/24", "tcp/502")]
        #expect(ExceptionBoxes(covered).covering() == [3: 0])
        #expect(ExceptionBoxes([covered[3], covered[0]]).covering() == [0: 1])
    }

    @Test(
        "what is open for a time only has a time-out in the kernel, and stays closed without a clock"
    )
    func until() throws {
        let end = WallTime(milliseconds: 1_800_000_000_000)
        let ruleset = Ruleset(
            for: try examplePolicy(allowed: [exception(.wan, .router, "tcp/22", until: end)]))
        let before = WallTime(milliseconds: end.milliseconds - 90_000)
        #expect(ruleset.text(at: before).contains("tcp . 22 timeout 90s"))
        #expect(!ruleset.text(at: end).contains("tcp . 22"))
        #expect(!ruleset.text().contains("tcp . 22"))
    }

    @Test(
        "behaviour 2.7: outside its hours it is not there; within them the kernel closes it at their end"
    )
    func hours() throws {
        // 1970-01-01 was a Thursday; 2027-01-15 a Friday.
        let friday = WallTime(milliseconds: 1_800_000_000_000)
        func at(_ hour: Int64, _ minute: Int64 = 0) -> WallTime {
            WallTime(
                milliseconds: friday.milliseconds / 86_400_000 * 86_400_000
                    + (hour * 60 + minute) * 60_000)
        }
        func ruleset(until: WallTime? = nil) throws -> Ruleset {
            var allow = try exception(.lan, .router, "udp/123", until: until)
            allow.when = WeeklyHours("mon-fri 06:00-18:00")
            return Ruleset(for: try examplePolicy(allowed: [allow]))
        }
        let ahead: WeeklyHours.Zone = { _ in 3600 }
        let plain = try ruleset()
        #expect(plain.text(at: at(16, 30), ahead).contains("udp . 123 timeout 1800s"))
        #expect(!plain.text(at: at(17), ahead).contains("udp . 123"))
        #expect(!plain.text(at: nil, ahead).contains("udp . 123"), "no clock, no hours")
        #expect(plain.opens(after: at(16, 30), ahead) == nil)
        let monday = WallTime(milliseconds: at(5).milliseconds + 3 * 86_400_000)
        #expect(plain.opens(after: at(17), ahead) == monday)
        let ending = try ruleset(until: at(16, 45))
        #expect(ending.text(at: at(16, 30), ahead).contains("udp . 123 timeout 900s"))
        #expect(ending.opens(after: at(17), ahead) == nil)
    }

    @Test("one that is open for longer covers one within it, one with other hours does not")
    func hoursCover() throws {
        let wide = try exception(.wan, .lan, source: "10.1.0.0/16", "tcp/502")
        let narrow = try exception(.wan, .lan, source: "10.1.7.0/24", "tcp/502")
        var limited = wide
        limited.when = WeeklyHours("mon 06:00-18:00")
        #expect(ExceptionBoxes([limited, narrow]).covering().isEmpty)
        #expect(ExceptionBoxes([limited, narrow]).layers() == [0, 1])
        var same = narrow
        same.when = limited.when
        #expect(ExceptionBoxes([limited, same]).covering() == [1: 0])
        #expect(ExceptionBoxes([limited, wide]).covering() == [1: 0], "the kernel holds it once")
        var ending = wide
        ending.until = WallTime(milliseconds: 1_800_000_000_000)
        #expect(ExceptionBoxes([ending, narrow]).covering().isEmpty)
    }

    @Test("counts go on over an exchange of the rules, and a time is known for the last")
    func hits() throws {
        let policy = try examplePolicy(allowed: [exception(.lan, .wan, "tcp/443")])
        let set = try #require(Ruleset(for: policy).exceptions.first)
        let element = set.elements[0]
        var hits = ExceptionHits()
        func note(_ packets: UInt64, at seconds: Int64) {
            let sample = ExceptionHits.Sample(
                key: element.key, keyEnd: element.keyEnd, packets: packets, bytes: packets * 100)
            hits.note([sample], in: set.name, at: Instant(nanoseconds: seconds * 1_000_000_000))
        }
        note(0, at: 1)
        #expect(hits.hit(element, in: set).lastAt == nil)
        note(3, at: 2)
        note(3, at: 3)
        hits.restart(keeping: [set])
        note(2, at: 4)
        #expect(
            hits.hit(element, in: set)
                == .init(packets: 5, bytes: 500, lastAt: Instant(nanoseconds: 4_000_000_000)))
        hits.restart(keeping: [])
        #expect(hits.hit(element, in: set).packets == 0)
    }
}

/// Exceptions, forwards and trials against the kernel.
@Suite(.enabled(if: NetworkNamespace.isAvailable, "needs CAP_SYS_ADMIN"))
struct ExceptionTrafficTests {
    @Test("behaviour 2.7: what an exception names passes, its neighbours do not, and it counts")
    func wanToLAN() async throws {
        let site = try await FirewallSite()
        try await site.wan.ip("address add 10.1.0.67/24 dev eth0")
        let policy = try examplePolicy(allowed: [
            exception(
                .wan, .lan, source: "10.1.0.66/32", destination: "192.168.140.10/32", "tcp/502-510")
        ])
        try await site.firewall.apply(policy)
        try await site.wan.ip("route replace 192.168.140.0/24 via 10.1.0.2 src 10.1.0.66")
        #expect(try await tcp(site.wan, "192.168.140.10", 502) == ECONNREFUSED)
        #expect(try await tcp(site.wan, "192.168.140.10", 510) == ECONNREFUSED)
        #expect(try await tcp(site.wan, "192.168.140.10", 511) == EINPROGRESS)
        #expect(try await tcp(site.wan, "192.168.140.1", 502) == EINPROGRESS)
        #expect(try await tcp(site.wan, "10.1.0.2", 502) == EINPROGRESS)
        #expect(try await tcp(site.plc, "10.1.0.66", 502) == EINPROGRESS)
        let status = try await site.firewall.status()
        #expect(status.exceptions.map(\.packets) == [4])
        #expect(status.exceptions[0].lastAt != nil)
        try await site.wan.ip("route replace 192.168.140.0/24 via 10.1.0.2 src 10.1.0.67")
        #expect(try await tcp(site.wan, "192.168.140.10", 502) == EINPROGRESS)
        // Also with an exception, an empty packet filter lets nothing pass.
        try await site.wan.ip("route replace 192.168.140.0/24 via 10.1.0.2 src 10.1.0.66")
        try await site.router.run(["/usr/sbin/nft", "flush", "ruleset"])
        #expect(try await tcp(site.wan, "192.168.140.10", 502) == EINPROGRESS)
    }

    @Test("behaviour 2.7: from the LAN by hardware address, to the router, and for a time only")
    func lanExceptions() async throws {
        let site = try await FirewallSite()
        let output = try await site.plc.run(["/usr/sbin/ip", "-br", "link", "show", "eth0"]).output
        let mac = String(output.split(separator: " ")[2])
        let soon = WallTime(milliseconds: SystemClock().wall().milliseconds + 2500)
        try await site.firewall.apply(
            examplePolicy(allowed: [
                exception(.lan, .wan, mac: mac, "tcp/443"),
                exception(.lan, .wan, mac: "02:00:5e:10:00:01", "tcp/444"),
                exception(.lan, .router, source: "192.168.140.10/32", "icmp"),
                exception(.lan, .router, "tcp/22", until: soon),
            ]))
        #expect(try await tcp(site.plc, "192.168.140.1", 22) == ECONNREFUSED)
        #expect(try await tcp(site.plc, "203.0.113.10", 443) == ECONNREFUSED)
        #expect(try await tcp(site.plc, "203.0.113.10", 444) == EINPROGRESS)
        #expect(try await ping(site.plc, "192.168.140.1"))
        let closed = try await eventually {
            try await tcp(site.plc, "192.168.140.1", 22) == EINPROGRESS
        }
        #expect(closed)
        // Taken away, it is over: the whole table is again as it was without.
        try await site.firewall.apply(examplePolicy())
        #expect(try await !ping(site.plc, "192.168.140.1"))
        #expect(try await tcp(site.plc, "203.0.113.10", 443) == EINPROGRESS)
    }

    @Test("behaviour 2.7: a forwarded port leads to the machine, and nothing beside it does")
    func forwards() async throws {
        let site = try await FirewallSite()
        let machine = try address("192.168.140.10")
        try await site.firewall.apply(
            examplePolicy(forwards: [
                .init(
                    comment: "web", port: .init(.tcp, 8502), machine: machine, machinePort: 502,
                    letsTheWANIn: true)
            ]))
        #expect(try await tcp(site.wan, "10.1.0.2", 8502) == ECONNREFUSED)
        #expect(try await tcp(site.wan, "10.1.0.2", 502) == EINPROGRESS)
        #expect(try await tcp(site.wan, "192.168.140.10", 502) == EINPROGRESS)
        #expect(try await tcp(site.wan, "192.168.140.10", 8502) == EINPROGRESS)
        #expect(try await site.firewall.status().forwarded.map(\.packets) == [1])
    }

    @Test(
        "behaviour 2.7: an address on the WAN stands for a machine, and exceptions alone say what may begin"
    )
    func translation() async throws {
        let site = try await FirewallSite()
        try await site.router.ip("address add 10.1.0.50/24 dev eth0")
        try await site.wan.ip("address add 10.1.0.67/24 dev eth0")
        var policy = try examplePolicy()
        policy.translations = [
            .init(
                interface: try #require(InterfaceName("eth0")), address: try address("10.1.0.50"),
                machine: try address("192.168.140.10"))
        ]
        try await site.firewall.apply(policy)
        #expect(try await tcp(site.wan, "10.1.0.50", 502) == EINPROGRESS, "it opens nothing")
        #expect(try await tcp(site.plc, "10.1.0.66", 80) == EINPROGRESS)

        policy.openings.allowed = [
            try exception(
                .wan, .lan, source: "10.1.0.66/32", destination: "192.168.140.10/32", "tcp/502")
        ]
        try await site.firewall.apply(policy)
        #expect(try await tcp(site.wan, "10.1.0.50", 502) == ECONNREFUSED)
        #expect(try await tcp(site.wan, "10.1.0.50", 503) == EINPROGRESS)
        #expect(try await tcp(site.wan, "10.1.0.2", 502) == EINPROGRESS)
        #expect(try await tcp(site.plc, "10.1.0.66", 80) == EINPROGRESS)

        // What the machine begins appears there under that address.
        policy.openings.lanToWAN = .private
        try await site.firewall.apply(policy)
        let far = try await site.wan.perform { try Probe.udp(port: 7000) }
        let wan = try address("10.1.0.66")
        let near = try await site.plc.perform { try Probe.udp(port: 7001, to: wan, 7000) }
        defer { for raw in [far, near] { close(raw) } }
        await site.plc.perform { Probe.send(near, 7) }
        #expect(await site.wan.perform { Probe.receive(far) } == 7)
        let peers = try await site.wan.run(["/usr/bin/ss", "-Hun"]).output
        #expect(peers.contains("10.1.0.50:7001"), "\(peers)")
        #expect(try await site.firewall.status().forwarded.map(\.name) == ["nat_0"])
        #expect(try await site.firewall.status().forwarded[0].packets >= 4)
    }

    @Test("behaviour 2.7: an address in the VPN stands for a machine, behind the gate")
    func remoteTranslation() async throws {
        let site = try await FirewallSite()
        try await site.user.ip("route add 10.9.0.10/32 via 10.8.0.5")
        var policy = try examplePolicy()
        policy.translations = [
            .init(
                interface: try #require(InterfaceName("vpn0")), address: try address("10.9.0.10"),
                machine: try address("192.168.140.10"))
        ]
        try await site.firewall.apply(policy)
        #expect(try await tcp(site.user, "10.9.0.10", 502) == EINPROGRESS)
        try site.lease.refresh()
        #expect(try await tcp(site.user, "10.9.0.10", 502) == ECONNREFUSED)
        #expect(try await tcp(site.user, "10.9.0.11", 502) == EINPROGRESS)
        try site.lease.close()
        #expect(try await tcp(site.user, "10.9.0.10", 502) == EINPROGRESS)
    }

    @Test(
        "behaviour 2.9: rules on trial decide until their time is over, then the old ones, by the kernel alone"
    )
    func trial() async throws {
        let site = try await FirewallSite()
        try await site.firewall.apply(examplePolicy())
        let opened = try examplePolicy(lanToWAN: .public)
        let begun = SystemClock().now()
        try await site.firewall.tryOut(opened, for: .seconds(2))
        #expect(try await tcp(site.plc, "203.0.113.10", 443) == ECONNREFUSED)
        #expect(try await tcp(site.wan, "10.1.0.2", 22) == EINPROGRESS)
        // Nobody keeps the firewall here: what follows is the kernel's doing.
        let back = try await eventually {
            try await tcp(site.plc, "203.0.113.10", 443) == EINPROGRESS
        }
        #expect(back)
        #expect(SystemClock().now() - begun >= .seconds(2))
        #expect(try await tcp(site.router, "9.9.9.9", 53) == ECONNREFUSED)
        await #expect(throws: FirewallError.nothingOnTrial) { try await site.firewall.confirm() }

        try await site.firewall.tryOut(opened, for: .seconds(2))
        try await site.firewall.confirm()
        try await Task.sleep(for: .seconds(2.2))
        #expect(try await tcp(site.plc, "203.0.113.10", 443) == ECONNREFUSED)
        #expect(try await site.firewall.status().isInForce)
        #expect(try await site.firewall.status().trialEnds == nil)
    }

    @Test("behaviour 2.1: a foreign flush, rule or element is put back at once, and counted")
    func putBack() async throws {
        let site = try await FirewallSite()
        try await site.firewall.apply(examplePolicy())
        let firewall = site.firewall
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await firewall.keep(
                    examplePolicy(), lookingEvery: .seconds(60), clock: SystemClock())
            }
            var expected = 0
            for foreign in [
                "flush ruleset", "insert rule inet drawbridge input accept",
                "add element inet drawbridge cloud { 198.51.100.7 }",
            ] {
                let result = try await site.router.run(["/usr/sbin/nft", foreign])
                #expect(result.exit.isSuccess, "\(result.error)")
                expected += 1
                let restored = try await eventually {
                    let status = try await firewall.status()
                    return status.isInForce && status.foreignChanges == expected
                }
                #expect(restored, "\(foreign)")
                let text = try await site.router.run(["/usr/sbin/nft", "list", "ruleset"]).output
                #expect(!text.contains("198.51.100.7"))
            }
            // What is ours is no foreign change.
            try site.lease.refresh()
            try await firewall.open([address("203.0.113.10")], for: .seconds(60))
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await firewall.status().foreignChanges == expected)
            group.cancelAll()
            do { try await group.waitForAll() } catch is CancellationError {}
        }
    }

    @Test(
        "behaviour 2.7: with the daemon gone the kernel closes at the end of the hours; a daemon opens at their begin"
    )
    func hoursInTheKernel() async throws {
        let site = try await FirewallSite()
        // Monday 2026-11-16, two seconds before 18:00.
        let evening = WallTime(milliseconds: 1_794_851_998_000)
        let wall = Mutex(evening)
        let service = try await site.router.perform {
            FirewallService(
                table: try KernelFilterTable(), forwarding: try KernelForwarding(),
                wall: { wall.withLock { $0 } }, zone: { _ in 0 },
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }
        var allow = try exception(.lan, .router, "tcp/123")
        allow.when = WeeklyHours("mon-fri 06:00-18:00")
        let policy = try examplePolicy(allowed: [allow])
        try await service.apply(policy)
        #expect(try await tcp(site.plc, "192.168.140.1", 123) == ECONNREFUSED)
        let closed = try await eventually {
            try await tcp(site.plc, "192.168.140.1", 123) == EINPROGRESS
        }
        #expect(closed, "nobody but the kernel could")
        // Somebody looks in the night: it stays closed.
        wall.withLock { $0 = WallTime(milliseconds: evening.milliseconds + 3_600_000) }
        try await service.apply(policy)
        #expect(try await tcp(site.plc, "192.168.140.1", 123) == EINPROGRESS)
        let morning = evening.milliseconds + 12 * 3_600_000 + 2000
        wall.withLock { $0 = WallTime(milliseconds: morning - 1) }
        try await service.apply(policy)
        #expect(try await tcp(site.plc, "192.168.140.1", 123) == EINPROGRESS)
        wall.withLock { $0 = WallTime(milliseconds: morning) }
        try await service.apply(policy)
        #expect(try await tcp(site.plc, "192.168.140.1", 123) == ECONNREFUSED)
        #expect(try await service.status().isInForce)
    }
}
