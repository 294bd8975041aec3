package import Base
import Glibc
package import Linux
package import Settings

/// The tunnel's interface, which OpenVPN uses but may not make.
package protocol TunnelDevice: Sendable {
    func make() throws(SystemError)
    /// The session has this address.
    func setUp(_ address: IPv4Address) throws(SystemError)
    func remove() throws(SystemError)
    /// What it has carried since it was made; nil when that cannot be read.
    func traffic() -> TunnelTraffic?
}

/// The kernel's.
package struct KernelTunnelDevice: TunnelDevice {
    package let name: String
    package let network: CIDR
    private let entries = KernelEntries()

    package init(_ settings: Settings.VPN) {
        name = settings.interface
        network = settings.network
    }

    package func make() throws(SystemError) { try TunnelInterface.make(name) }

    package func setUp(_ address: IPv4Address) throws(SystemError) {
        // The server may not make the router answer for a machine's address, or for a name server's.
        guard network.contains(address) else {
            throw SystemError(
                "use \(address), which the VPN server gave and vpn.network \(network) does not contain",
                code: EADDRNOTAVAIL)
        }
        try TunnelInterface.setUp(name, address, in: network)
    }

    package func remove() throws(SystemError) { try TunnelInterface.remove(name) }

    package func traffic() -> TunnelTraffic? {
        TunnelInterface.traffic(name, entries).map {
            TunnelTraffic(inward: $0.received, outward: $0.sent)
        }
    }
}
