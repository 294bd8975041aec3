import Base
import Settings
import Testing

@testable import Firewall

/// The policy of the shipped example: three uplinks, one PLC, remote access.
func examplePolicy(
    dhcp: Bool = false, vpn: Bool = true, lanToWAN: Settings.Firewall.LANToWAN = .neither,
    allowed: [Settings.Firewall.Allow] = [], forwards: [Settings.Firewall.Forward] = []
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
        openings: .init(lanToWAN: lanToWAN, allowed: allowed, forwards: forwards))
}

func address(_ text: String) throws -> IPv4Address { try #require(IPv4Address(text)) }

/// An exception as a config would have it.
func exception(
    _ from: Settings.Firewall.Zone, _ to: Settings.Firewall.Zone, source: String? = nil,
    destination: String? = nil, mac: String? = nil, _ service: String, until: WallTime? = nil
) throws -> Settings.Firewall.Allow {
    Settings.Firewall.Allow(
        comment: "test", from: from, to: to, source: try source.map { try #require(CIDR($0)) },
        destination: try destination.map { try #require(CIDR($0)) },
        mac: try mac.map { try #require(MACAddress($0)) },
        service: try #require(Settings.Firewall.Service(service)), until: until,
        letsTheWANIn: true)
}
