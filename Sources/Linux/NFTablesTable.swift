import Glibc

/// What the kernel says of one `inet` table, through the nf_tables dump requests.
package struct NFTablesTable: ~Copyable, Sendable {
    package struct Chain: Equatable, Sendable {
        package var name: String
        /// nil: not a base chain, packets come only by a jump.
        package var base: Base?

        package struct Base: Equatable, Sendable {
            /// `NF_INET_LOCAL_IN` 1, `NF_INET_FORWARD` 2, `NF_INET_LOCAL_OUT` 3
            package var hook: UInt32
            package var priority: Int32
            package var dropsByDefault: Bool
        }
    }

    package struct Rule: Equatable, Sendable {
        package var chain: String
        /// The rule as the kernel dumps it, with its handle: equal bytes mean an untouched rule.
        package var bytes: [UInt8]
    }

    package struct Counter: Equatable, Sendable {
        package var name: String
        package var packets: UInt64
        package var bytes: UInt64
    }

    package let name: String
    private let socket: NetlinkSocket

    /// A dump that other transactions keep interrupting is repeated so often.
    private static let attemptsMax = 5

    package init(name: String) throws(SystemError) {
        self.name = name
        socket = try NetlinkSocket(family: 12)
    }

    /// The table's chains; none when there is no such table.
    package borrowing func chains() throws(SystemError) -> [Chain] {
        var chains: [Chain] = []
        for attributes in try dump(4, "chains") {  // NFT_MSG_GETCHAIN
            guard let name = attributes[3]?.cString else { continue }
            var base: Chain.Base?
            if let hook = attributes[4].map({ NetlinkReply.attributes($0) }),
                let number = hook[1]?.bigEndian(UInt32.self),
                let priority = hook[2]?.bigEndian(Int32.self)
            {
                let policy = attributes[5]?.bigEndian(UInt32.self)
                base = Chain.Base(
                    hook: number, priority: priority, dropsByDefault: policy == 0)  // NF_DROP
            }
            chains.append(Chain(name: name, base: base))
        }
        return chains
    }

    /// The table's rules, in order within each chain.
    package borrowing func rules() throws(SystemError) -> [Rule] {
        var rules: [Rule] = []
        for reply in try dumpReplies(7, "rules") {  // NFT_MSG_GETRULE
            // All rules are read every few seconds: no dictionary for each.
            guard let table = reply.attribute(1, after: 4), isName(table),
                let chain = reply.attribute(2, after: 4)?.cString
            else { continue }
            // Behind `nfgenmsg`, which carries the number of the ruleset's generation.
            rules.append(Rule(chain: chain, bytes: Array(reply.payload.dropFirst(4))))
        }
        return rules
    }

    /// The table's named counters.
    package borrowing func counters() throws(SystemError) -> [Counter] {
        var counters: [Counter] = []
        for reply in try dumpReplies(19, "counters") {  // NFT_MSG_GETOBJ
            // Read several times a second: no dictionary for each.
            guard let table = reply.attribute(1, after: 4), isName(table),
                reply.attribute(3, after: 4)?.bigEndian(UInt32.self) == 1,  // NFT_OBJECT_COUNTER
                let name = reply.attribute(2, after: 4)?.cString,
                let data = reply.attribute(4, after: 4),
                let bytes = NetlinkReply.attribute(1, in: data)?.bigEndian(UInt64.self),
                let packets = NetlinkReply.attribute(2, in: data)?.bigEndian(UInt64.self)
            else { continue }
            counters.append(Counter(name: name, packets: packets, bytes: bytes))
        }
        return counters
    }

    /// Whether an attribute, a string with its zero, is the table's name.
    private borrowing func isName(_ attribute: ArraySlice<UInt8>) -> Bool {
        attribute.last == 0 && attribute.dropLast().elementsEqual(name.utf8)
    }

    /// The attributes of each answer that belongs to this table: attribute 1 names it in all of them.
    private borrowing func dump(_ request: UInt16, _ what: String)
        throws(SystemError) -> [[UInt16: ArraySlice<UInt8>]]
    {
        var found: [[UInt16: ArraySlice<UInt8>]] = []
        for reply in try dumpReplies(request, what) {
            let attributes = reply.attributes(after: 4)
            if attributes[1]?.cString == name { found.append(attributes) }
        }
        return found
    }

    private borrowing func dumpReplies(_ request: UInt16, _ what: String)
        throws(SystemError) -> [NetlinkReply]
    {
        var message = NetlinkMessage()
        // NLM_F_REQUEST | NLM_F_DUMP
        message.begin(type: NFTablesBatch.type(request), flags: 0x301, sequence: 1)
        NFTablesBatch.header(&message, family: 1, resource: 0)
        // NFTA_RULE_TABLE, NFTA_OBJ_TABLE, NFTA_CHAIN_TABLE: a kernel that does not look at it tells of all tables.
        message.attribute(1, string: name)
        message.end()
        for _ in 0..<Self.attemptsMax {
            let replies = try socket.dump(message.bytes, "list the \(what) of table inet \(name)")
            // NLM_F_DUMP_INTR: a transaction went between, the parts may not fit together.
            if !replies.contains(where: { $0.flags & 0x10 != 0 }) { return replies }
        }
        throw SystemError("list the \(what) of table inet \(name)", code: EINTR)
    }
}

extension ArraySlice<UInt8> {
    /// The whole slice as a number in network byte order; nil if it is too short.
    fileprivate func bigEndian<I: FixedWidthInteger>(_ type: I.Type) -> I? {
        number(at: 0, as: type).map { I(bigEndian: $0) }
    }
}
