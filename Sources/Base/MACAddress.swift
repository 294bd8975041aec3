/// An Ethernet hardware address, written `02:00:5e:10:00:01`.
package struct MACAddress: Hashable, Sendable, CustomStringConvertible {
    /// Six bytes, in the order of the wire.
    package let bytes: [UInt8]

    /// Reads six pairs of hexadecimal digits with colons; nil otherwise, and for a group's address.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { part in
            part.utf8.count == 2 && part.utf8.allSatisfy({ $0 != 43 && $0 != 45 })
                ? UInt8(part, radix: 16) : nil
        }
        guard parts.count == 6, bytes.count == 6, bytes[0] & 1 == 0 else { return nil }
        self.bytes = bytes
    }

    package var description: String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined(separator: ":")
    }
}
