import Base
import Glibc
import Linux
import Settings
import TestSupport
import Testing

@testable import Firewall

/// Packets that are too big for an uplink (`docs/behaviour.md` §2.5, §2.7).
@Suite struct SegmentSizeRulesTests {
    private func rules(_ chain: String, of policy: FirewallPolicy) throws -> [String] {
        try #require(Ruleset(for: policy).chains.first { $0.name == chain }).rules
    }

    private static let wan = #"{ "eth0", "wlan0", "wwan0" }"#
    private static let clamp = "tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu"
    private static let clamping = [
        #"iifname "br-lan" oifname \#(wan) ip saddr 192.168.140.0/24 \#(clamp)"#,
        #"iifname \#(wan) oifname "br-lan" ip daddr 192.168.140.0/24 \#(clamp)"#,
    ]
    private static let telling =
        #"oifname "br-lan" ip daddr 192.168.140.0/24 icmp type destination-unreachable "#
        + "icmp code frag-needed ct state related ct mark & 0xffff0000 == 0x64620000 accept"

    @Test("behaviour 2.7: whatever is opened between LAN and WAN has a clamp, and hosts are told")
    func opened() throws {
        for policy in [
            try examplePolicy(lanToWAN: .private),
            try examplePolicy(allowed: [exception(.lan, .wan, "tcp/443")]),
            try examplePolicy(allowed: [exception(.wan, .lan, "tcp/502")]),
            try examplePolicy(forwards: [forward()]),
        ] {
            let forwarded = try rules("forward", of: policy)
            #expect(forwarded.filter { $0.contains("maxseg") } == Self.clamping)
            let clamped = try #require(forwarded.lastIndex { $0.contains("maxseg") })
            let accepted = try #require(forwarded.firstIndex { $0.hasSuffix("accept") })
            #expect(clamped < accepted)
            #expect(try rules("output", of: policy).contains(Self.telling))
        }
    }

    @Test("behaviour 2.5: with nothing opened between LAN and WAN, no ICMP error leaves")
    func closed() throws {
        for policy in [
            try examplePolicy(), try examplePolicy(allowed: [exception(.lan, .router, "tcp/22")]),
        ] {
            #expect(try !rules("forward", of: policy).contains { $0.contains("maxseg") })
            #expect(try !rules("output", of: policy).contains { $0.contains("frag-needed") })
        }
    }
}

/// The same against the kernel.
@Suite(.enabled(if: NetworkNamespace.isAvailable, "needs CAP_SYS_ADMIN"))
struct SegmentSizeTrafficTests {
    @Test("behaviour 2.7: segments fit an uplink with a smaller MTU, and who sends more is told")
    func smallerMTU() async throws {
        let site = try await FirewallSite()
        try await site.router.ip("link set eth0 mtu 1400")
        for host in [site.plc, site.wan] {
            try await host.run(
                ["/usr/sbin/nft", "-f", "-"],
                input: "table inet t {\nchain c {\ntype filter hook input priority 0;\n"
                    + "tcp option maxseg size 1360 counter\n}\n}\n")
        }
        try await site.firewall.apply(
            examplePolicy(
                allowed: [exception(.lan, .wan, "tcp/443"), exception(.lan, .wan, "udp/7000")],
                forwards: [forward()]))
        #expect(try await tcp(site.wan, "10.1.0.2", 8502) == ECONNREFUSED)
        #expect(try await tcp(site.plc, "203.0.113.10", 443) == ECONNREFUSED)
        for host in [site.plc, site.wan] {
            let seen = try await host.run(["/usr/sbin/nft", "list", "table", "inet", "t"]).output
            #expect(seen.contains("counter packets 1 "), "\(seen)")
        }

        let cloud = try address("203.0.113.10")
        let far = try await site.wan.perform { try Probe.udp(at: cloud, port: 7000) }
        let near = try await site.plc.perform { try Probe.udp(port: 7001, to: cloud, 7000) }
        defer { for raw in [far, near] { close(raw) } }
        await site.plc.perform { Probe.send(near, 1) }
        #expect(await site.wan.perform { Probe.receive(far) } == 1)
        await site.plc.perform { Probe.send(near, 2, count: 1450) }
        let isTold = try await eventually {
            try await site.plc.run(["/usr/sbin/ip", "route", "get", "203.0.113.10"]).output
                .contains("mtu 1400")
        }
        #expect(isTold)
    }
}

/// A port of the router that leads to the machine's Modbus.
private func forward() throws -> Settings.Firewall.Forward {
    .init(
        comment: "test", port: .init(.tcp, 8502), machine: try address("192.168.140.10"),
        machinePort: 502, letsTheWANIn: true)
}
