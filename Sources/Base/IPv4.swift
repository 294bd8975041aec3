/// An IPv4 address, in host byte order.
package struct IPv4Address: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var value: UInt32

    package init(value: UInt32) {
        self.value = value
    }

    /// Reads dotted quad notation, strictly: four decimal numbers without leading zeros.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
                part == "0" || part.first != "0", let byte = UInt8(part)
            else { return nil }
            value = value << 8 | UInt32(byte)
        }
        self.value = value
    }

    /// The address from its four bytes in network order; nil if there are not four.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 4 else { return nil }
        value = bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The four bytes in network order.
    package var bytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

    package var description: String { bytes.map { String($0) }.joined(separator: ".") }

    package static func < (a: IPv4Address, b: IPv4Address) -> Bool { a.value < b.value }
}

/// An IPv4 network in CIDR notation, for example `192.168.140.0/24`.
package struct CIDR: Hashable, Sendable, CustomStringConvertible {
    /// The network address: its host bits are zero.
    package let network: IPv4Address
    /// Bits of the network part, 0…32.
    package let prefixLength: Int

    /// The network that `address` lies in; nil if the prefix is not 0…32.
    package init?(containing address: IPv4Address, prefixLength: Int) {
        guard (0...32).contains(prefixLength) else { return nil }
        self.prefixLength = prefixLength
        network = IPv4Address(value: address.value & Self.mask(prefixLength))
    }

    /// Reads `a.b.c.d/n`; host bits must be zero.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(parts[0]),
            let length = Int(decimal: parts[1]),
            let cidr = CIDR(containing: address, prefixLength: length), cidr.network == address
        else { return nil }
        self = cidr
    }

    private static func mask(_ length: Int) -> UInt32 {
        length == 0 ? 0 : ~UInt32(0) << UInt32(32 - length)
    }

    package func contains(_ address: IPv4Address) -> Bool {
        address.value & Self.mask(prefixLength) == network.value
    }

    package func overlaps(_ other: CIDR) -> Bool {
        contains(other.network) || other.contains(network)
    }

    package var description: String { "\(network)/\(prefixLength)" }
}
