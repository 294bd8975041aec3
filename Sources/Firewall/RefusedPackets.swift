package import Base

/// Packets of one sender to one receiver and port that were dropped lately.
package struct RefusedPackets: Equatable, Sendable {
    package var zone: AttackSigns.Zone
    package var source: IPv4Address
    package var destination: IPv4Address
    /// The protocol number of the IP header (IANA).
    package var protocolNumber: UInt8
    /// Of TCP and UDP the port, of ICMP its type and code, a byte each.
    package var detail: UInt16
    /// Of a flood only a part is counted (`Ruleset.refusedPerSecond`).
    package var packets: UInt64

    package init(
        zone: AttackSigns.Zone, source: IPv4Address, destination: IPv4Address,
        protocolNumber: UInt8, detail: UInt16, packets: UInt64
    ) {
        self.zone = zone
        self.source = source
        self.destination = destination
        self.protocolNumber = protocolNumber
        self.detail = detail
        self.packets = packets
    }

    /// From an element of the kernel's set, in which each part begins at a multiple of four bytes.
    package init?(zone: AttackSigns.Zone, key: [UInt8], packets: UInt64) {
        guard key.count == 16, let source = IPv4Address(bytes: key[0..<4]),
            let destination = IPv4Address(bytes: key[4..<8])
        else { return nil }
        self.init(
            zone: zone, source: source, destination: destination, protocolNumber: key[8],
            detail: UInt16(key[12]) << 8 | UInt16(key[13]), packets: packets)
    }

    /// As in `tcp/22`, `icmp type 8`, `protocol 47`.
    package var service: String {
        switch protocolNumber {
        case 1: "icmp type \(detail >> 8)"
        case 6: "tcp/\(detail)"
        case 17: "udp/\(detail)"
        default: "protocol \(protocolNumber)"
        }
    }

    /// The counter that counted them, as far as the addresses tell.
    package func counter(_ policy: FirewallPolicy) -> Ruleset.Counter {
        switch zone {
        case .wan:
            return policy.lan.network.contains(destination) ? .wanToLAN : .wanToRouter
        case .lan:
            // A multicast or a broadcast address: no router forwards these.
            if destination.value >> 28 >= 14 { return .lanToRouter }
            if policy.lan.network.contains(destination) { return .lanToRouter }
            return policy.vpn?.network.contains(destination) ?? false ? .lanToVPN : .lanToWAN
        case .vpn:
            return policy.lan.network.contains(destination) ? .vpnToLAN : .vpnToRouter
        case .router: return .egress
        case .unknown: return .otherToRouter
        }
    }
}
