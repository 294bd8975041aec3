import Base
import Glibc
import Linux
import Logging
import Settings
import TestSupport
import Testing

@testable import Firewall

/// Packets between four hosts: who may send what to whom (`docs/behaviour.md` §2).
@Suite(.enabled(if: NetworkNamespace.isAvailable, "needs CAP_SYS_ADMIN"))
struct TrafficTests {
    @Test("without rules everybody reaches everybody: what the other tests see is the firewall")
    func openByNature() async throws {
        let site = try await FirewallSite()
        try await site.forwardEverywhere()
        #expect(try await tcp(site.wan, "10.1.0.2", 22) == ECONNREFUSED)
        #expect(try await tcp(site.wan, "192.168.140.10", 502) == ECONNREFUSED)
        #expect(try await tcp(site.plc, "203.0.113.10", 443) == ECONNREFUSED)
        #expect(try await tcp(site.user, "192.168.140.10", 502) == ECONNREFUSED)
        #expect(try await ping(site.user, "203.0.113.10"))
    }

    @Test("behaviour 2.2, 2.3: nobody reaches the router, nothing passes between WAN and LAN")
    func closed() async throws {
        let site = try await FirewallSite()
        try await site.firewall.apply(examplePolicy())
        try await site.forwardEverywhere()
        try site.lease.refresh()
        #expect(try await tcp(site.wan, "10.1.0.2", 22) == EINPROGRESS)
        #expect(try await !ping(site.wan, "10.1.0.2"))
        #expect(try await site.dropped(.wanToRouter) >= 2)
        #expect(try await tcp(site.wan, "192.168.140.10", 502) == EINPROGRESS)
        #expect(try await site.dropped(.wanToLAN) >= 1)
        #expect(try await tcp(site.plc, "203.0.113.10", 443) == EINPROGRESS)
        #expect(try await site.dropped(.lanToWAN) >= 1)
        #expect(try await tcp(site.plc, "192.168.140.1", 53) == EINPROGRESS)
        #expect(try await site.dropped(.lanToRouter) >= 1)
        #expect(try await tcp(site.user, "10.8.0.5", 22) == EINPROGRESS)
        #expect(try await site.dropped(.vpnToRouter) >= 1)
        #expect(try await tcp(site.user, "203.0.113.10", 443) == EINPROGRESS)
        #expect(try await site.dropped(.otherForward) >= 1)
    }

    @Test("behaviour 2.5: the router reaches what is listed, and nothing else")
    func output() async throws {
        let site = try await FirewallSite()
        try await site.firewall.apply(examplePolicy())
        #expect(try await ping(site.router, "9.9.9.9"))
        #expect(try await !ping(site.router, "203.0.113.10"))
        #expect(try await tcp(site.router, "9.9.9.9", 53) == ECONNREFUSED)
        #expect(try await tcp(site.router, "9.9.9.9", 80) == EINPROGRESS)
        #expect(try await tcp(site.router, "192.168.140.10", 502) == ECONNREFUSED)
        #expect(try await tcp(site.router, "192.168.140.10", 503) == EINPROGRESS)
        #expect(try await tcp(site.router, "203.0.113.10", 443) == EINPROGRESS)
        try await site.firewall.open([address("203.0.113.10")], for: .milliseconds(700))
        #expect(try await tcp(site.router, "203.0.113.10", 443) == ECONNREFUSED)
        #expect(try await tcp(site.router, "203.0.113.10", 22) == EINPROGRESS)
        let expired = try await eventually {
            try await tcp(site.router, "203.0.113.10", 443) == EINPROGRESS
        }
        #expect(expired)
        #expect(try await site.dropped(.egress) >= 5)
    }

    @Test("behaviour 2.5: what only the daemon needs is closed to other users' programs")
    func otherUsers() async throws {
        let site = try await FirewallSite()
        var policy = try examplePolicy()
        policy.agents = [0]
        try await site.firewall.apply(policy)
        try await site.firewall.open([address("203.0.113.10")], for: .seconds(60))
        func reaches(_ place: String, as user: UInt32) async throws -> Bool {
            // A refused connection has been there.
            let result = try await site.router.run([
                "/usr/bin/setpriv", "--reuid", "\(user)", "--clear-groups", "/usr/bin/timeout", "1",
                "/bin/bash", "-c", ": < /dev/tcp/\(place)",
            ])
            return result.error.contains("refused")
        }
        for place in ["203.0.113.10/443", "9.9.9.9/53", "192.168.140.10/502"] {
            #expect(try await reaches(place, as: 0), "\(place)")
            let before = try await site.dropped(.egress)
            #expect(try await !reaches(place, as: 65534), "\(place)")
            #expect(try await site.dropped(.egress) > before)
        }
        #expect(try await !reaches("198.51.100.7/443", as: 0))
    }

    @Test("behaviour 2.5: a live cloud connection outlasts its address's time, a new one does not")
    func liveConnection() async throws {
        let site = try await FirewallSite()
        try await site.firewall.apply(examplePolicy())
        try await site.firewall.open([address("203.0.113.10")], for: .milliseconds(700))
        let cloud = try address("203.0.113.10")
        let far = try await site.wan.perform { try Probe.udp(at: cloud, port: 1194) }
        let near = try await site.router.perform { try Probe.udp(port: 5000, to: cloud, 1194) }
        defer { for raw in [far, near] { close(raw) } }
        func exchange(_ byte: UInt8) async -> UInt8? {
            await site.router.perform { Probe.send(near, byte) }
            guard let seen = await site.wan.perform({ Probe.receive(far) }) else { return nil }
            await site.wan.perform { Probe.send(far, seen + 100) }
            return await site.router.perform { Probe.receive(near) }
        }
        #expect(await exchange(1) == 101)
        #expect(
            try await eventually { try await tcp(site.router, "203.0.113.10", 443) == EINPROGRESS })
        #expect(await exchange(2) == 102)
    }

    @Test("behaviour 2.5: a connection from before the rules ends, though conntrack knew it")
    func connectionFromBefore() async throws {
        let site = try await FirewallSite()
        // Another program's rules had conntrack at work.
        let tracking = """
            table inet earlier {
                chain output {
                    type filter hook output priority filter;
                    ct state new,established accept
                }
            }
            """
        try await site.router.run(["/usr/sbin/nft", "-f", "-"], input: tracking)
        let stranger = try address("10.1.0.66")
        let far = try await site.wan.perform { try Probe.udp(at: stranger, port: 1194) }
        let near = try await site.router.perform { try Probe.udp(port: 5001, to: stranger, 1194) }
        defer { for raw in [far, near] { close(raw) } }
        func arrives(_ byte: UInt8) async -> Bool {
            await site.router.perform { Probe.send(near, byte) }
            guard await site.wan.perform({ Probe.receive(far) }) == byte else { return false }
            // Answered: established.
            await site.wan.perform { Probe.send(far, byte) }
            return true
        }
        #expect(await arrives(1))
        #expect(await arrives(2))
        try await site.firewall.apply(examplePolicy())
        #expect(await !arrives(3))
    }

    @Test("behaviour 2.4: VPN users reach the LAN only with a lease; closing it cuts what is live")
    func gate() async throws {
        let site = try await FirewallSite()
        try await site.firewall.apply(examplePolicy())
        #expect(try await tcp(site.user, "192.168.140.10", 502) == EINPROGRESS)
        #expect(try await site.dropped(.vpnToLAN) >= 1)
        let machine = try address("192.168.140.10")
        let server = try await site.plc.perform { try Probe.udp(port: 5900) }
        let client = try await site.user.perform { try Probe.udp(port: 5901, to: machine, 5900) }
        defer { for raw in [server, client] { close(raw) } }

        try site.lease.refresh()
        #expect(try await tcp(site.user, "192.168.140.10", 502) == ECONNREFUSED)
        // The machine may answer a remote user, but not begin.
        #expect(try await tcp(site.plc, "10.8.0.6", 5900) == EINPROGRESS)
        await site.user.perform { Probe.send(client, 1) }
        #expect(await site.plc.perform { Probe.receive(server) } == 1)
        await site.plc.perform { Probe.send(server, 2) }
        #expect(await site.user.perform { Probe.receive(client) } == 2)

        try site.lease.close()
        await site.user.perform { Probe.send(client, 3) }
        #expect(await site.plc.perform { Probe.receive(server) } == nil)
        await site.plc.perform { Probe.send(server, 4) }
        #expect(await site.user.perform { Probe.receive(client) } == nil)

        try site.lease.refresh()
        await site.user.perform { Probe.send(client, 5) }
        #expect(await site.plc.perform { Probe.receive(server) } == 5)
    }

    @Test("behaviour 2.4: a closed gate forgets the connections that had passed it, and no others")
    func forgets() async throws {
        let site = try await FirewallSite()
        try await site.firewall.apply(examplePolicy())
        try site.lease.refresh()
        let machine = try address("192.168.140.10")
        let server = try await site.plc.perform { try Probe.udp(port: 5900) }
        let client = try await site.user.perform { try Probe.udp(port: 5901, to: machine, 5900) }
        defer { for raw in [server, client] { close(raw) } }
        await site.user.perform { Probe.send(client, 1) }
        #expect(await site.plc.perform { Probe.receive(server) } == 1)
        #expect(try await ping(site.router, "9.9.9.9"))
        func tracked() async throws -> String {
            try await site.router.run(["/usr/sbin/conntrack", "-L"]).output
        }
        #expect(try await tracked().contains("dport=5900"))
        try site.lease.close()
        let left = try await tracked()
        #expect(!left.contains("dport=5900") && left.contains("9.9.9.9"))
    }

    @Test(
        "behaviour 2.4: where the gate has a grant, the end of its holder closes it, lease or not")
    func grant() async throws {
        let site = try await FirewallSite()
        var policy = try examplePolicy()
        policy.needsGrant = true
        try await site.firewall.apply(policy)
        var holder: GateLease? = try await site.router.perform {
            try GateLease(
                vpnInterface: "vpn0", lanInterface: "br-lan", duration: .seconds(30),
                withGrant: true)
        }
        #expect(holder?.holdsGrant == true)
        // Another lease opens nothing: the grant is what the rules ask for, and it is not the lease.
        #expect(try await tcp(site.user, "192.168.140.10", 502) == EINPROGRESS)
        try holder?.refresh()
        #expect(try await tcp(site.user, "192.168.140.10", 502) == ECONNREFUSED)
        // Not even root takes it away, nor what it guards.
        try await site.router.run(["/usr/sbin/nft", "delete", "table", "inet", Ruleset.grantTable])
        #expect(try await tcp(site.user, "192.168.140.10", 502) == ECONNREFUSED)
        holder = nil
        let isShut = try await eventually {
            try await tcp(site.user, "192.168.140.10", 502) == EINPROGRESS
        }
        #expect(isShut)
        try site.lease.refresh()
        #expect(try await tcp(site.user, "192.168.140.10", 502) == EINPROGRESS)
    }

    @Test(
        "behaviour 2.11: without their lease the uplinks are cut both ways, established or not, the gate apart"
    )
    func uplinkLease() async throws {
        let site = try await FirewallSite()
        var policy = try examplePolicy(lanToWAN: .both)
        policy.uplinksNeedKey = true
        try await site.firewall.apply(policy)
        let lease = try await site.router.perform {
            try GateLease(
                vpnInterface: "vpn0", lanInterface: "br-lan", uplinks: ["eth0", "wlan0", "wwan0"],
                duration: .seconds(30))
        }
        func passes() async throws -> [Bool] {
            [
                try await ping(site.router, "9.9.9.9"),
                try await tcp(site.plc, "203.0.113.10", 443) == ECONNREFUSED,
                try await tcp(site.user, "192.168.140.10", 502) == ECONNREFUSED,
            ]
        }
        #expect(try await passes() == [false, false, false])
        try lease.refresh(remote: false)
        #expect(try await passes() == [true, true, false])
        try lease.refresh(remote: true)
        #expect(try await passes() == [true, true, true])
        #expect(try lease.areUplinksOpen() == true)

        // An established connection ends with the lease, too, and does not go on when it is back.
        let there = try address("203.0.113.10")
        let server = try await site.wan.perform { try Probe.udp(port: 5900) }
        defer { close(server) }
        let client = try await site.plc.perform { try Probe.udp(port: 5901, to: there, 5900) }
        defer { close(client) }
        await site.plc.perform { Probe.send(client, 1) }
        #expect(await site.wan.perform { Probe.receive(server) } == 1)
        try lease.closeRemote()
        #expect(try await passes() == [true, true, false])
        try lease.close()
        #expect(try lease.areUplinksOpen() == false)
        await site.plc.perform { Probe.send(client, 2) }
        #expect(await site.wan.perform { Probe.receive(server) } == nil)
        #expect(try await passes() == [false, false, false])
        let tracked = try await site.router.run(["/usr/sbin/conntrack", "-L"]).output
        #expect(!tracked.contains("dport=5900"))
        #expect(try await site.dropped(.uplinksCut) >= 3)
    }

    @Test("a sender that uses an address of another network does not get through the open gate")
    func spoofedSource() async throws {
        let site = try await FirewallSite()
        try await site.firewall.apply(examplePolicy())
        try site.lease.refresh()
        try await site.user.ip("address add 172.20.0.6/32 dev lo")
        let machine = try address("192.168.140.10")
        let server = try await site.plc.perform { try Probe.udp(port: 5900) }
        defer { close(server) }
        try await site.user.ip("route replace 192.168.140.0/24 via 10.8.0.5 src 172.20.0.6")
        let client = try await site.user.perform { try Probe.udp(port: 5901, to: machine, 5900) }
        defer { close(client) }
        await site.user.perform { Probe.send(client, 1) }
        #expect(await site.plc.perform { Probe.receive(server) } == nil)
    }

    @Test(
        "behaviour 2.3: with the packet filter flushed, nothing passes between LAN or VPN and WAN",
        arguments: [Settings.Firewall.LANToWAN.neither, .both])
    func secondLine(opened: Settings.Firewall.LANToWAN) async throws {
        let site = try await FirewallSite()
        try await site.firewall.apply(examplePolicy(lanToWAN: opened))
        try await site.router.run(["/usr/sbin/nft", "flush", "ruleset"])
        #expect(try await tcp(site.wan, "192.168.140.10", 502) == EINPROGRESS)
        #expect(try await tcp(site.plc, "203.0.113.10", 443) == EINPROGRESS)
        #expect(try await tcp(site.user, "203.0.113.10", 443) == EINPROGRESS)
        // Of the other tests' open way, only this is left.
        #expect(try await tcp(site.user, "192.168.140.10", 502) == ECONNREFUSED)
        try await site.router.ip("link del vpn0")
        #expect(try await tcp(site.plc, "10.8.0.6", 5900) == EINPROGRESS)
    }

    @Test(
        "behaviour 2.3: with the packet filter flushed, the router answers nobody, and its own user still gets out"
    )
    func silence() async throws {
        let site = try await FirewallSite()
        var policy = try examplePolicy()
        policy.agents = [990]
        try await site.firewall.apply(policy)
        try await site.router.run(["/usr/sbin/nft", "flush", "ruleset"])
        #expect(try await tcp(site.wan, "10.1.0.2", 443) == EINPROGRESS)
        #expect(try await tcp(site.plc, "192.168.140.1", 443) == EINPROGRESS)
        let result = try await site.router.run([
            "/usr/bin/setpriv", "--reuid", "990", "--clear-groups", "/usr/bin/timeout", "1",
            "/bin/bash", "-c", ": < /dev/tcp/203.0.113.10/443",
        ])
        #expect(result.error.contains("refused"), "a refused connection has been there")
        // What the WAN may begin is answered: a service of the superuser could not say a word else.
        policy.openings.allowed = [try exception(.wan, .router, "tcp/443")]
        try await site.firewall.apply(policy)
        try await site.router.run(["/usr/sbin/nft", "flush", "ruleset"])
        #expect(try await tcp(site.wan, "10.1.0.2", 443) == ECONNREFUSED)
    }

    @Test("behaviour 2.7: lan-to-wan opens what it says, one way, behind the router's address")
    func lanToWAN() async throws {
        let site = try await FirewallSite()
        // Nobody on the WAN knows the way to the machines: what comes back was translated.
        try await site.wan.ip("route del default")
        func reaches() async throws -> [Bool] {
            [
                try await tcp(site.plc, "10.1.0.66", 80) == ECONNREFUSED,
                try await tcp(site.plc, "203.0.113.10", 443) == ECONNREFUSED,
            ]
        }
        let cases: [(Settings.Firewall.LANToWAN, [Bool])] = [
            (.both, [true, true]), (.private, [true, false]), (.public, [false, true]),
            (.neither, [false, false]),
        ]
        for (opened, expected) in cases {
            try await site.firewall.apply(examplePolicy(lanToWAN: opened))
            #expect(try await reaches() == expected, "\(opened)")
            #expect(try await ping(site.plc, "203.0.113.10") == expected[1])
        }
        try await site.firewall.apply(examplePolicy(lanToWAN: .both))
        try await site.wan.ip("route add default via 10.1.0.2")
        #expect(try await tcp(site.wan, "192.168.140.10", 502) == EINPROGRESS)
        #expect(try await tcp(site.wan, "10.1.0.2", 502) == EINPROGRESS)
        #expect(try await site.dropped(.wanToLAN) >= 1)
        #expect(try await tcp(site.plc, "192.168.140.1", 53) == EINPROGRESS)
        #expect(try await tcp(site.user, "203.0.113.10", 443) == EINPROGRESS)
    }

    @Test("behaviour 2.7: closing lan-to-wan cuts a live connection with the next packet")
    func lanToWANCut() async throws {
        let site = try await FirewallSite()
        try await site.firewall.apply(examplePolicy(lanToWAN: .public))
        let cloud = try address("203.0.113.10")
        let far = try await site.wan.perform { try Probe.udp(at: cloud, port: 7000) }
        let near = try await site.plc.perform { try Probe.udp(port: 7001, to: cloud, 7000) }
        defer { for raw in [far, near] { close(raw) } }
        await site.plc.perform { Probe.send(near, 1) }
        #expect(await site.wan.perform { Probe.receive(far) } == 1)
        await site.wan.perform { Probe.send(far, 2) }
        #expect(await site.plc.perform { Probe.receive(near) } == 2)
        let table = try await site.router.run(["/usr/sbin/conntrack", "-L", "-m", "0x64620102"])
        #expect(table.output.contains("dport=7000"), "\(table.output)\(table.error)")
        try await site.firewall.apply(examplePolicy())
        await site.plc.perform { Probe.send(near, 3) }
        #expect(await site.wan.perform { Probe.receive(far) } == nil)
        await site.wan.perform { Probe.send(far, 4) }
        #expect(await site.plc.perform { Probe.receive(near) } == nil)
    }

    @Test("a connection that was begun from the WAN before the rules is not kept alive by them")
    func leftOver() async throws {
        let site = try await FirewallSite()
        // Any rule about conntrack makes the kernel track.
        try await site.router.run(
            ["/usr/sbin/nft", "-f", "-"],
            input: "table inet t {\nchain c {\ntype filter hook input priority 0;\n"
                + "ct state new counter\n}\n}\n")
        let router = try address("10.1.0.2")
        let server = try await site.router.perform { try Probe.udp(port: 443) }
        let client = try await site.wan.perform { try Probe.udp(port: 443, to: router, 443) }
        defer { for raw in [server, client] { close(raw) } }
        await site.wan.perform { Probe.send(client, 1) }
        #expect(await site.router.perform { Probe.receive(server) } == 1)
        await site.router.perform { Probe.send(server, 2) }
        #expect(await site.wan.perform { Probe.receive(client) } == 2)
        try await site.firewall.apply(examplePolicy())
        await site.wan.perform { Probe.send(client, 3) }
        #expect(await site.router.perform { Probe.receive(server) } == nil)
        await site.router.perform { Probe.send(server, 4) }
        #expect(await site.wan.perform { Probe.receive(client) } == nil)
    }
}
