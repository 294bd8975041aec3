package import Base
package import Settings

/// Who may send what to whom: the value that the ruleset is written from (`docs/behaviour.md` §2).
package struct FirewallPolicy: Equatable, Sendable {
    /// In order of preference.
    package var uplinks: [Uplink]
    package var lan: Segment
    /// nil: no remote access, nothing is ever forwarded.
    package var vpn: Segment?
    package var nameServers: [IPv4Address]
    package var timeServers: [IPv4Address]
    /// What may be reached at an address that the resolver has opened.
    package var cloudPorts: [TransportPort]
    package var machines: [Machine]
    /// The users whose programs may begin what only the daemon and OpenVPN need; empty: any.
    package var agents: [UInt32] = []
    /// Whether what passes the gate must carry the mark of a living daemon (`GateLease.holdsGrant`).
    package var needsGrant = false
    /// The proxy that the VPN's server is reached over; nil: directly.
    package var proxy: Machine?
    /// Whether the uplinks, too, pass packets only while the key switch holds them open (§2.11).
    package var uplinksNeedKey = false
    /// What the config opens besides (§2.7).
    package var openings: Settings.Firewall
    /// Addresses that stand for one machine each (§2.7).
    package var translations: [Translation] = []
    /// What programs of the router may serve to the LAN.
    package var lanServices: [Settings.LAN.Service] = []
    /// Where the status page listens for the LAN; nil: there is none.
    package var page: Machine?
    /// Where clients of the LAN push readings; nil: nowhere.
    package var push: Machine?

    package struct Uplink: Equatable, Sendable {
        package var interface: InterfaceName
        package var usesDHCP: Bool
        /// Those that are pinged.
        package var probeTargets: [IPv4Address]
        /// Keep-alive targets that are asked in another way, with the port.
        package var probeServices: [ProbeService] = []
        /// Where the page is that shows whether it wants a login, at an address that the resolver has opened for that; nil:
        /// it is not asked for.
        package var checkPort: UInt16?

        package init(interface: InterfaceName, usesDHCP: Bool, probeTargets: [IPv4Address]) {
            self.interface = interface
            self.usesDHCP = usesDHCP
            self.probeTargets = probeTargets
        }

        package struct ProbeService: Hashable, Sendable {
            package var address: IPv4Address
            package var port: TransportPort
        }
    }

    /// An interface and the network behind it.
    package struct Segment: Equatable, Sendable {
        package var interface: InterfaceName
        package var network: CIDR

        package init(interface: InterfaceName, network: CIDR) {
            self.interface = interface
            self.network = network
        }
    }

    /// An address that stands for a machine, to those who come through an interface.
    package struct Translation: Equatable, Sendable {
        package var interface: InterfaceName
        package var address: IPv4Address
        package var machine: IPv4Address

        package init(interface: InterfaceName, address: IPv4Address, machine: IPv4Address) {
            self.interface = interface
            self.address = address
            self.machine = machine
        }
    }

    /// A machine that the router itself dials, over TCP; or where it is dialled itself.
    package struct Machine: Hashable, Sendable {
        package var address: IPv4Address
        package var port: UInt16

        package init(address: IPv4Address, port: UInt16) {
            self.address = address
            self.port = port
        }
    }

    package init(
        uplinks: [Uplink], lan: Segment, vpn: Segment?, nameServers: [IPv4Address],
        timeServers: [IPv4Address], cloudPorts: [TransportPort], machines: [Machine],
        openings: Settings.Firewall = .init(),
        page: Machine? = nil
    ) {
        self.uplinks = uplinks
        self.lan = lan
        self.vpn = vpn
        self.nameServers = nameServers
        self.timeServers = timeServers
        self.cloudPorts = cloudPorts
        self.machines = machines
        self.openings = openings
        self.page = page
    }
}

extension FirewallPolicy {
    /// Whether anything is forwarded between LAN and WAN.
    package var joinsLANAndWAN: Bool {
        openings.lanToWAN != .neither || !openings.forwards.isEmpty
            || openings.allowed.contains { $0.from != .router && $0.to != .router }
    }

    /// What the daemon itself serves to the LAN.
    var listeners: [Machine] { [page, push].compactMap { $0 } }

    /// Whether an exception lets somebody ping the router.
    package var opensPing: Bool {
        openings.allowed.contains { $0.to == .router && $0.service == .icmp }
    }

    /// The private networks of RFC 1918, and that of RFC 6598 behind a provider's translation.
    static let privateNetworks = ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"]
    /// What is neither private nor public (RFC 6890).
    static let specialNetworks = [
        "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
    ]
}

/// A kernel interface name that is safe within a rule: 1…15 letters, digits, `.`, `-`, `_` or `@`.
///
/// nft reads a final `*` as "any interface that begins so", and a quote ends the name.
package struct InterfaceName: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init?(_ text: String) {
        let isSafe = text.utf8.allSatisfy { byte in
            (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte)
                || [45, 46, 64, 95].contains(byte)
        }
        guard isSafe, (1...15).contains(text.utf8.count), text != ".", text != ".." else {
            return nil
        }
        description = text
    }
}
