import Base
import Glibc
import Linux
import Settings
import TestSupport
import Testing

@testable import Firewall

/// Servers of the router for the machines, against the kernel.
@Suite(.enabled(if: NetworkNamespace.isAvailable, "needs CAP_SYS_ADMIN"))
struct LANServiceTests {
    /// Whether a datagram from a host to the router's port comes back.
    private func answers(_ site: FirewallSite, _ host: NamespaceHost, _ to: String, _ port: UInt16)
        async throws -> Bool
    {
        let to = try address(to)
        let server = try await site.router.perform { try Probe.udp(port: port) }
        let client = try await host.perform { try Probe.udp(port: 0, to: to, port) }
        defer { for raw in [server, client] { close(raw) } }
        await host.perform { Probe.send(client, 5) }
        guard await site.router.perform({ Probe.receive(server) }) == 5 else { return false }
        await site.router.perform { Probe.send(server, 6) }
        return await host.perform { Probe.receive(client) } == 6
    }

    @Test(
        "behaviour 2.2: NTP from the LAN is answered when it is switched on, and from nowhere else")
    func time() async throws {
        let site = try await FirewallSite()
        try await site.firewall.apply(examplePolicy())
        #expect(try await !answers(site, site.plc, "192.168.140.1", 123))
        var policy = try examplePolicy()
        policy.lanServices = [.ntp]
        try await site.firewall.apply(policy)
        #expect(try await answers(site, site.plc, "192.168.140.1", 123))
        #expect(try await !answers(site, site.plc, "192.168.140.1", 124))
        #expect(try await !answers(site, site.wan, "10.1.0.2", 123))
        #expect(try await !answers(site, site.user, "10.8.0.5", 123))
    }

    @Test("behaviour 2.2: a real DHCP server gives a lease on the LAN when it is switched on")
    func leases() async throws {
        let site = try await FirewallSite()
        try await site.firewall.apply(examplePolicy())
        let server = try await site.router.perform {
            try ChildProcess([
                "/usr/sbin/dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0",
                "--pid-file", "--bind-interfaces", "--interface=br-lan", "--no-ping",
                "--dhcp-leasefile=/dev/null", "--dhcp-range=192.168.140.100,192.168.140.110,1h",
            ])
        }
        defer { server.send(signal: SIGKILL) }
        #expect(try await !offers(site))
        var policy = try examplePolicy()
        policy.lanServices = [.dhcp]
        try await site.firewall.apply(policy)
        let hasOffered = try await offers(site)
        #expect(hasOffered)
    }

    private func offers(_ site: FirewallSite) async throws -> Bool {
        try await site.plc.run([
            "/usr/bin/nmap", "-n", "--script", "broadcast-dhcp-discover", "--script-args",
            "broadcast-dhcp-discover.timeout=2", "-e", "eth0",
        ]).output.contains("192.168.140.1")
    }
}
