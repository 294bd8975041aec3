/// Reads the counters and the time-outs of an `inet` set's elements.
package struct NFTablesSetReader: ~Copyable, Sendable {
    package struct Element: Equatable, Sendable {
        package var key: [UInt8]
        /// The last key of a range; empty where the set has no ranges.
        package var keyEnd: [UInt8]
        package var packets: UInt64
        package var bytes: UInt64
    }

    private let socket: NetlinkSocket

    package init() throws(SystemError) {
        socket = try NetlinkSocket(family: 12)
    }

    /// The elements of a set that count; those without a counter are left out.
    package borrowing func elements(table: String, set: String) throws(SystemError) -> [Element] {
        try lists(table: table, set: set).flatMap { list in
            Self.members(list).compactMap { Self.element($0) }
        }
    }

    private borrowing func lists(table: String, set: String)
        throws(SystemError) -> [ArraySlice<UInt8>]
    {
        var message = NetlinkMessage()
        // NFT_MSG_GETSETELEM, NLM_F_REQUEST | NLM_F_DUMP
        message.begin(type: NFTablesBatch.type(13), flags: 0x301, sequence: 1)
        NFTablesBatch.header(&message, family: 1, resource: 0)
        message.attribute(1, string: table)
        message.attribute(2, string: set)
        message.end()
        let replies = try socket.dump(message.bytes, "list set \(set) of table inet \(table)")
        return replies.compactMap { $0.attributes(after: 4)[3] }
    }

    /// A key that the kernel removes by itself.
    package struct TimedKey: Equatable, Sendable {
        package var key: [UInt8]
        package var remaining: Duration
    }

    /// The elements of a set that have a time-out, and how much of it is left.
    package borrowing func timedKeys(table: String, set: String) throws(SystemError) -> [TimedKey] {
        try lists(table: table, set: set).flatMap { list in
            Self.members(list).compactMap { bytes in
                let attributes = NetlinkReply.attributes(bytes)
                // …_KEY, …_EXPIRATION in milliseconds
                guard let key = Self.value(attributes[1]),
                    let rest = attributes[5]?.number(at: 0, as: UInt64.self)
                else { return nil }
                return TimedKey(
                    key: key, remaining: .milliseconds(Int64(clamping: UInt64(bigEndian: rest))))
            }
        }
    }

    /// The payloads of a list, in which all attributes have the same type.
    private static func members(_ list: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var members: [ArraySlice<UInt8>] = []
        var rest = list
        while let length = rest.number(at: 0, as: UInt16.self).map({ Int($0) }),
            length >= 4, length <= rest.count
        {
            members.append(rest[(rest.startIndex + 4)..<(rest.startIndex + length)])
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return members
    }

    private static func element(_ bytes: ArraySlice<UInt8>) -> Element? {
        let attributes = NetlinkReply.attributes(bytes)
        // …_KEY, …_KEY_END, …_EXPR
        guard let key = value(attributes[1]),
            let expression = attributes[7].map({ NetlinkReply.attributes($0) }),
            expression[1]?.cString == "counter",
            let data = expression[2].map({ NetlinkReply.attributes($0) }),
            let byteCount = data[1]?.number(at: 0, as: UInt64.self),
            let packets = data[2]?.number(at: 0, as: UInt64.self)
        else { return nil }
        return Element(
            key: key, keyEnd: value(attributes[10]) ?? [], packets: UInt64(bigEndian: packets),
            bytes: UInt64(bigEndian: byteCount))
    }

    /// `NFTA_DATA_VALUE`
    private static func value(_ data: ArraySlice<UInt8>?) -> [UInt8]? {
        data.flatMap { NetlinkReply.attributes($0)[1] }.map { Array($0) }
    }
}
