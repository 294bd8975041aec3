/// Conntrack's mark of what the rules let begin: `0x6462UUKK`, with the number of the uplink that the
/// connection began over (1…8) and its kind. Others may delete by it (`docs/behaviour.md` §2.8).
package enum ConnectionMark: UInt32, Sendable {
    /// The router's own, to an open cloud address.
    case cloud = 0x6462_0001
    /// Of a machine, to the WAN.
    case lanToWAN = 0x6462_0002
    /// Of an exception or a port forward.
    case exception = 0x6462_0003
    /// Of a remote user, through the gate; it has no uplink.
    case vpn = 0x6462_0004

    /// The bits that all of ours have in common: `mark & baseMask == base`.
    package static let base: UInt32 = 0x6462_0000
    package static let baseMask: UInt32 = 0xffff_0000

    /// The bits that tell the uplink: compare `mark & uplinkMask` with `value(uplink:)`. The four between are the uplinks'
    /// own: whether it is TCP.
    package static let uplinkMask: UInt32 = 0xffff_0f00

    /// The mark of a connection that began over the uplink with this index, in the order of the config.
    package static func value(uplink index: Int) -> UInt32 { 0x6462_0000 | UInt32(index + 1) << 8 }

    /// A rule for each uplink that accepts what meets the conditions, and marks the connection.
    ///
    /// Not one rule with a map from the uplink to the mark: when rules are exchanged, the old ones' maps are void at
    /// once, and a packet that is just among the old rules would find no mark and be dropped.
    func accepting(
        _ policy: FirewallPolicy, by key: String = "oifname", _ conditions: String
    ) -> [String] {
        policy.uplinks.enumerated().map { index, uplink in
            let mark = Self.hex(rawValue | Self.value(uplink: index))
            return "\(key) \"\(uplink.interface)\" \(conditions) ct mark set \(mark) accept"
        }
    }

    /// Matches this kind, over whichever uplink it began.
    var match: String { "ct mark & 0xffff00ff == \(Self.hex(rawValue))" }

    /// Of a *packet* between LAN and WAN that the forward chain is to judge: without it the routing rules
    /// drop it, so nothing passes when these rules are gone.
    static let forwarded: UInt32 = 0x6462_0000

    /// Of a packet by which the daemon asks a client on the LAN, in its server's name, about a connection whose uplink is dead.
    static let question: UInt32 = 0x6463_0001

    static func hex(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
}
