import Base
import Settings
import TestSupport
import Testing

@testable import Firewall

/// What another config would open or close, in words (`docs/behaviour.md` §5.6).
@Suite struct PolicyChangeTests {
    private let file = """
        [device]
        name = "a"
        [[uplink]]
        name = "office"
        interface = "eth0"
        [lan]
        network = "192.168.140.0/24"
        [dns]
        servers = ["9.9.9.9"]
        [cloud]
        broker = "mqtts://mqtt.ixon.net:443"
        """

    private func change(_ edit: (String) -> String) throws -> PolicyChange {
        PolicyChange(
            from: try Settings.parse(file), to: try Settings.parse(edit(file)))
    }

    @Test("the same says nothing, and what is no affair of the firewall neither")
    func nothing() throws {
        #expect(try change { $0 }.isEmpty)
        #expect(
            try change { $0.replacing("name = \"a\"", with: "name = \"b\"") }.lines == [])
    }

    @Test("behaviour 5.6: what opens, closes and moves")
    func words() throws {
        let change = try change {
            $0.replacing("eth0", with: "eth1").replacing("9.9.9.9", with: "9.9.9.10") + """

                domains = ["*.ixon.net"]
                [firewall]
                lan-to-wan = "private"
                [[firewall.allow]]
                comment = "MES"
                from = "wan"
                to = "lan"
                source = "10.1.2.0/24"
                destination = "192.168.140.10"
                port = "tcp/502"
                until = "2027-01-31 18:00"
                let-the-wan-in = true
                """
        }
        #expect(
            change.lines == [
                "was:     WAN is eth0, uplink office",
                "becomes: WAN is eth1, uplink office",
                "closes:  router to *.ixon.cloud, tcp/443 tcp/8443 udp/1194",
                "closes:  router to *.ayayot.com, tcp/443 tcp/8443 udp/1194",
                "closes:  router to 9.9.9.9, tcp/53 udp/53 (name server)",
                "closes:  router to 1.1.1.1, icmp over eth0 (keep-alive)",
                "closes:  router to 9.9.9.9, icmp over eth0 (keep-alive)",
                "closes:  router and DHCP servers on eth0",
                "opens:   router to 9.9.9.10, tcp/53 udp/53 (name server)",
                "opens:   router to 1.1.1.1, icmp over eth1 (keep-alive)",
                "opens:   router to 9.9.9.9, icmp over eth1 (keep-alive)",
                "opens:   router and DHCP servers on eth1",
                "opens:   machines to private networks over the uplinks, any port",
                "opens:   INWARD wan 10.1.2.0/24 to lan 192.168.140.10/32, tcp/502 until 2027-01-31 18:00 UTC (MES)",
            ])
    }
}
