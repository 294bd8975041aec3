import Glibc

/// Forgets connections by their mark, through conntrack netlink (`linux/netfilter/nfnetlink_conntrack.h`).
package struct ConntrackFlush: ~Copyable, Sendable {
    private let socket: NetlinkSocket
    private let message: [UInt8]

    /// Exactly the IPv4 connections that have `mark` in the bits of `mask`.
    package init(mark: UInt32, mask: UInt32 = .max) throws(SystemError) {
        socket = try NetlinkSocket(family: 12)
        var message = NetlinkMessage()
        // NFNL_SUBSYS_CTNETLINK (1), IPCTNL_MSG_CT_DELETE (2); NLM_F_REQUEST | NLM_F_ACK
        message.begin(type: 1 << 8 | 2, flags: 0x005, sequence: 0)
        NFTablesBatch.header(&message, family: UInt8(AF_INET), resource: 0)
        message.attribute(8, network: mark)  // CTA_MARK
        message.attribute(21, network: mask)  // CTA_MARK_MASK
        message.end()
        self.message = message.bytes
    }

    package borrowing func run() throws(SystemError) {
        try socket.transact(message, "forget the connections through the gate")
    }
}
