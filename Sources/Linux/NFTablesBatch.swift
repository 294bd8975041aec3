package import Base

/// One element of an nf_tables set or map.
package struct NFTablesElement: Sendable {
    /// The key's bytes as the kernel compares them: addresses in network order, an interface name in
    /// 16 bytes filled with zeros, parts of a concatenation one after the other.
    package var key: [UInt8]
    /// After this time the kernel removes the element by itself; nil: it stays.
    package var timeout: Duration?

    package init(key: [UInt8], timeout: Duration? = nil) {
        self.key = key
        self.timeout = timeout
    }

    /// The key of an `ipv4_addr` set.
    package static func key(_ address: IPv4Address) -> [UInt8] { address.bytes }

    /// The key of an `ifname` set. A name longer than the kernel's 15 bytes is cut.
    package static func key(_ interface: String) -> [UInt8] {
        let bytes = interface.utf8.prefix(15)
        return Array(bytes) + [UInt8](repeating: 0, count: 16 - bytes.count)
    }

    /// The key of an `ifname . ifname` set.
    package static func key(_ first: String, _ second: String) -> [UInt8] {
        key(first) + key(second)
    }
}

/// Changes to the elements of `inet` sets, applied by the kernel as one transaction.
///
/// Layout: `linux/netfilter/nfnetlink.h` and `linux/netfilter/nf_tables.h`. The last message before the batch's own end
/// asks for an acknowledgement; errors come for all, and before it.
package struct NFTablesBatch: Sendable {
    /// The datagram; its sequence numbers start at 0.
    package private(set) var bytes: [UInt8]
    /// How many messages stand between its begin and its end.
    package private(set) var messages = 0
    private var messageOffsets: [Int] = [0]

    /// Most elements of one message: the nested list must stay below the 64 KiB of an attribute.
    package static let elementsMax = 256

    package enum Change: Sendable {
        case add(set: String, [NFTablesElement])
        /// The same, and the time-out begins anew for those that are there: Linux 6.12.
        case extend(set: String, [NFTablesElement])
        case delete(set: String, [NFTablesElement])
    }

    /// What adds elements to a set, and begins their time-outs anew where they are in it.
    ///
    /// Kernels before 6.12 ignore the new time-out of an element that exists, and deleting one that does not would undo the
    /// batch: there it is added, deleted and added. No packet sees the moments between.
    package static func renewal(
        of set: String, _ elements: [NFTablesElement], inPlace: Bool = extendsTimeouts
    ) -> [Change] {
        if elements.isEmpty { return [] }
        if inPlace { return [.extend(set: set, elements)] }
        return [.add(set: set, elements), .delete(set: set, elements), .add(set: set, elements)]
    }

    private static let extendsTimeouts = KernelRelease.running >= KernelRelease(6, 12)

    /// A batch that makes `changes`, in this order, in the sets of one table.
    package init(table: String, _ changes: [Change]) {
        var message = NetlinkMessage()
        Self.border(&message, type: 16, sequence: 0)  // NFNL_MSG_BATCH_BEGIN
        for change in changes {
            messages += 1
            // NLM_F_REQUEST, for the last NLM_F_ACK.
            let flags: UInt16 = messages == changes.count ? 0x005 : 0x001
            messageOffsets.append(message.bytes.count)
            let sequence = UInt32(messages)
            switch change {
            case .add(let set, let elements):
                // NFT_MSG_NEWSETELEM, NLM_F_CREATE
                message.begin(type: Self.type(12), flags: flags | 0x400, sequence: sequence)
                Self.elements(&message, table, set, elements)
            case .extend(let set, let elements):
                message.begin(type: Self.type(12), flags: flags | 0x400, sequence: sequence)
                Self.elements(&message, table, set, elements, extending: true)
            case .delete(let set, let elements):
                // NFT_MSG_DELSETELEM; it identifies by key alone.
                message.begin(type: Self.type(14), flags: flags, sequence: sequence)
                Self.elements(&message, table, set, elements.map { NFTablesElement(key: $0.key) })
            }
            message.end()
        }
        messageOffsets.append(message.bytes.count)
        Self.border(&message, type: 17, sequence: UInt32(messages + 1))  // …_BATCH_END
        bytes = message.bytes
    }

    /// One message of a batch, for what is done too seldom to have a word of its own.
    package struct Message: Sendable {
        /// `NFT_MSG_…`
        package var type: UInt16
        /// Besides `NLM_F_REQUEST`, and `NLM_F_ACK` for the last.
        package var flags: UInt16
        /// What follows the family: attributes.
        package var body: @Sendable (inout NetlinkMessage) -> Void

        package init(
            _ type: UInt16, flags: UInt16 = 0,
            _ body: @escaping @Sendable (inout NetlinkMessage) -> Void
        ) {
            self.type = type
            self.flags = flags
            self.body = body
        }
    }

    /// A batch of `messages`, in this order, about the `inet` family.
    package init(_ messages: [Message]) {
        var message = NetlinkMessage()
        Self.border(&message, type: 16, sequence: 0)
        for one in messages {
            self.messages += 1
            messageOffsets.append(message.bytes.count)
            message.begin(
                type: Self.type(one.type),
                flags: (self.messages == messages.count ? 0x005 : 0x001) | one.flags,
                sequence: UInt32(self.messages))
            Self.header(&message, family: 1, resource: 0)
            one.body(&message)
            message.end()
        }
        messageOffsets.append(message.bytes.count)
        Self.border(&message, type: 17, sequence: UInt32(self.messages + 1))
        bytes = message.bytes
    }

    /// Renumbers the messages in place, so that answers to an earlier batch cannot be taken for ours.
    package mutating func number(from first: UInt32) {
        for (index, offset) in messageOffsets.enumerated() {
            let value = first &+ UInt32(index)
            for byte in 0..<4 {
                bytes[offset + 8 + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte))
            }
        }
    }

    /// A message type of the nf_tables subsystem (`NFNL_SUBSYS_NFTABLES` is 10).
    static func type(_ message: UInt16) -> UInt16 { 10 << 8 | message }

    /// `struct nfgenmsg`: family, version 0, resource id in network order.
    static func header(_ message: inout NetlinkMessage, family: UInt8, resource: UInt16) {
        message.append(family)
        message.append(UInt8(0))
        message.append(resource.bigEndian)
    }

    private static func border(_ message: inout NetlinkMessage, type: UInt16, sequence: UInt32) {
        message.begin(type: type, flags: 0x001, sequence: sequence)
        header(&message, family: 0, resource: 10)
        message.end()
    }

    static func elements(
        _ message: inout NetlinkMessage, _ table: String, _ set: String,
        _ elements: [NFTablesElement], extending: Bool = false
    ) {
        precondition(elements.count <= elementsMax)
        header(&message, family: 1, resource: 0)  // NFPROTO_INET
        message.attribute(1, string: table)  // NFTA_SET_ELEM_LIST_TABLE
        message.attribute(2, string: set)  // NFTA_SET_ELEM_LIST_SET
        message.nested(3) { list in  // NFTA_SET_ELEM_LIST_ELEMENTS
            for element in elements {
                list.nested(1) { item in  // NFTA_LIST_ELEM
                    if let timeout = element.timeout {
                        let milliseconds = UInt64(max(1, timeout.nanoseconds / 1_000_000))
                        item.attribute(4, network: milliseconds)  // NFTA_SET_ELEM_TIMEOUT
                        if extending { item.attribute(5, network: milliseconds) }  // …_EXPIRATION
                    }
                    item.nested(1) { $0.attribute(1, element.key) }  // …_KEY, NFTA_DATA_VALUE
                }
            }
        }
    }
}
