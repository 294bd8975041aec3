package import Base

extension Settings.Firewall {
    /// `[[firewall.nat]]`: an address on an uplink, or in the VPN, that stands for one machine. It opens nothing.
    package struct Translation: Equatable, Sendable {
        package var comment: String
        /// `on`: an uplink's name, or `vpn`.
        package var side: String
        package var address: IPv4Address
        /// `to`: the machine.
        package var machine: IPv4Address

        package init(comment: String, side: String, address: IPv4Address, machine: IPv4Address) {
            self.comment = comment
            self.side = side
            self.address = address
            self.machine = machine
        }

        /// What `on` says for the VPN.
        package static let vpn = "vpn"
    }
}

extension Settings.Firewall.Translation: CustomStringConvertible {
    /// As in `10.1.0.50 on office is 192.168.140.10`.
    package var description: String { "\(address) on \(side) is \(machine)" }
}
