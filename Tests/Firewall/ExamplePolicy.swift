import Base
import Testing

@testable import Firewall

/// The policy of the shipped example: three uplinks, one PLC, remote access.
func examplePolicy(
    dhcp: Bool = false, vpn: Bool = true, lanToWAN: FirewallPolicy.LANToWAN = .neither
) throws -> FirewallPolicy {
    let targets = [try address("1.1.1.1"), try address("9.9.9.9")]
    return FirewallPolicy(
        uplinks: try ["eth0", "wlan0", "wwan0"].map { name in
            FirewallPolicy.Uplink(
                interface: try #require(InterfaceName(name)), usesDHCP: dhcp && name == "eth0",
                probeTargets: targets)
        },
        lan: FirewallPolicy.Segment(
            interface: try #require(InterfaceName("br-lan")),
            network: try #require(CIDR("192.168.140.0/24"))),
        vpn: vpn
            ? FirewallPolicy.Segment(
                interface: try #require(InterfaceName("vpn0")),
                network: try #require(CIDR("10.8.0.0/24"))) : nil,
        nameServers: [try address("9.9.9.9")], timeServers: [try address("9.9.9.9")],
        cloudPorts: [
            TransportPort(.tcp, 443), TransportPort(.tcp, 8443), TransportPort(.udp, 1194),
        ],
        machines: [.init(address: try address("192.168.140.10"), port: 502)],
        lanToWAN: lanToWAN)
}

func address(_ text: String) throws -> IPv4Address { try #require(IPv4Address(text)) }
