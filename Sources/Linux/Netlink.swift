import CLinux
import Glibc
import Synchronization

/// Builds netlink messages: headers, attributes, nesting (`linux/netlink.h`), in host byte order.
package struct NetlinkMessage: Sendable {
    package private(set) var bytes: [UInt8] = []
    private var headerOffset = 0

    /// Begins a message of `type` with `flags`; several messages may follow one another in one batch.
    package mutating func begin(type: UInt16, flags: UInt16, sequence: UInt32) {
        headerOffset = bytes.count
        append(UInt32(0))
        append(type)
        append(flags)
        append(sequence)
        append(UInt32(0))
    }

    /// Ends the message that was begun last: its length is now known.
    package mutating func end() {
        pad()
        set(UInt32(bytes.count - headerOffset), at: headerOffset)
    }

    /// Appends a number in host byte order.
    package mutating func append<I: FixedWidthInteger>(_ value: I) {
        withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    }

    package mutating func append(bytes more: some Sequence<UInt8>) {
        bytes.append(contentsOf: more)
    }

    /// An attribute with raw bytes, padded to four.
    package mutating func attribute(_ type: UInt16, _ payload: some Collection<UInt8>) {
        append(UInt16(4 + payload.count))
        append(type)
        bytes.append(contentsOf: payload)
        pad()
    }

    /// An attribute with a number in host byte order (rtnetlink).
    package mutating func attribute<I: FixedWidthInteger>(_ type: UInt16, host value: I) {
        attribute(type, withUnsafeBytes(of: value) { Array($0) })
    }

    /// An attribute with a number in network byte order (nf_tables).
    package mutating func attribute<I: FixedWidthInteger>(_ type: UInt16, network value: I) {
        attribute(type, withUnsafeBytes(of: value.bigEndian) { Array($0) })
    }

    /// An attribute with a zero-terminated string.
    package mutating func attribute(_ type: UInt16, string: String) {
        attribute(type, Array(string.utf8) + [0])
    }

    /// A nested attribute (with `NLA_F_NESTED`): everything that `body` appends.
    package mutating func nested(_ type: UInt16, _ body: (inout NetlinkMessage) -> Void) {
        let offset = bytes.count
        append(UInt16(0))
        append(type | 0x8000)
        body(&self)
        set(UInt16(bytes.count - offset), at: offset)
        pad()
    }

    package init() {}

    private mutating func pad() {
        while bytes.count % 4 != 0 { bytes.append(0) }
    }

    private mutating func set<I: FixedWidthInteger>(_ value: I, at offset: Int) {
        withUnsafeBytes(of: value) { source in
            for (index, byte) in source.enumerated() { bytes[offset + index] = byte }
        }
    }
}

/// One message as the kernel sent it, cut out of a datagram.
package struct NetlinkReply: Sendable {
    package let type: UInt16
    package let flags: UInt16
    package let sequence: UInt32
    /// The socket that asked for it, or made the change that is told (`NetlinkSocket.portID`).
    package let portID: UInt32
    /// What follows the header.
    package let payload: ArraySlice<UInt8>

    /// `NLMSG_ERROR`: an acknowledgement (0) or a negative errno value.
    package var errorCode: Int32? {
        type == 2 ? payload.number(at: 0, as: Int32.self) : nil
    }

    /// Splits a datagram; stops without fault at the first truncated message.
    package static func parse(_ datagram: [UInt8]) -> [NetlinkReply] {
        var replies: [NetlinkReply] = []
        var rest = datagram[...]
        while let length = rest.number(at: 0, as: UInt32.self).map({ Int($0) }),
            length >= 16, length <= rest.count,
            let type = rest.number(at: 4, as: UInt16.self),
            let flags = rest.number(at: 6, as: UInt16.self),
            let sequence = rest.number(at: 8, as: UInt32.self),
            let portID = rest.number(at: 12, as: UInt32.self)
        {
            let start = rest.startIndex
            replies.append(
                NetlinkReply(
                    type: type, flags: flags, sequence: sequence, portID: portID,
                    payload: rest[(start + 16)..<(start + length)]))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return replies
    }

    /// The attributes after a fixed header of `offset` bytes, by type (flag bits cut off); the last of a type wins.
    package func attributes(after offset: Int) -> [UInt16: ArraySlice<UInt8>] {
        Self.attributes(payload.dropFirst(offset))
    }

    /// One attribute after a fixed header of `offset` bytes, the first of its type.
    package func attribute(_ wanted: UInt16, after offset: Int) -> ArraySlice<UInt8>? {
        Self.attribute(wanted, in: payload.dropFirst(offset))
    }

    /// One attribute of a nested payload, the first of its type.
    package static func attribute(_ wanted: UInt16, in bytes: ArraySlice<UInt8>)
        -> ArraySlice<UInt8>?
    {
        var rest = bytes
        while let length = rest.number(at: 0, as: UInt16.self).map({ Int($0) }),
            let type = rest.number(at: 2, as: UInt16.self), length >= 4, length <= rest.count
        {
            if type & 0x3fff == wanted {
                return rest[(rest.startIndex + 4)..<(rest.startIndex + length)]
            }
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return nil
    }

    /// The attributes of a nested payload.
    package static func attributes(_ bytes: ArraySlice<UInt8>) -> [UInt16: ArraySlice<UInt8>] {
        var found: [UInt16: ArraySlice<UInt8>] = [:]
        var rest = bytes
        while let length = rest.number(at: 0, as: UInt16.self).map({ Int($0) }),
            let type = rest.number(at: 2, as: UInt16.self), length >= 4, length <= rest.count
        {
            let start = rest.startIndex
            found[type & 0x3fff] = rest[(start + 4)..<(start + length)]
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return found
    }
}

extension ArraySlice<UInt8> {
    /// The number in host byte order at `offset` from the slice's start; nil if it does not fit.
    package func number<I: FixedWidthInteger>(at offset: Int, as type: I.Type) -> I? {
        guard offset >= 0, count >= offset + MemoryLayout<I>.size else { return nil }
        return withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: I.self) }
    }

    /// The text up to the first zero byte.
    package var cString: String { String(decoding: prefix { $0 != 0 }, as: UTF8.self) }
}

/// A netlink socket, kept open for its owner's life: opening and closing one waits for the kernel's RCU.
package struct NetlinkSocket: ~Copyable, Sendable {
    /// The number, to wait on through the reactor.
    package var descriptor: Int32 { socket.raw }
    private let socket: FileDescriptor
    private let what: String
    /// Of the next request: an answer that came too late is never taken for one to a later request.
    private let nextSequence = Atomic<UInt32>(1)

    /// Most datagrams of an earlier dump that are read and dropped.
    private static let leftoversMax = 1024
    /// Longest datagram, in bytes: the kernel fills at most so many of what it is given (`netlink_recvmsg`).
    private static let datagramMax = 32768
    /// Its address in the network namespace: the kernel stamps it on every request and on the news of it.
    package let portID: UInt32

    /// Opens a socket of a netlink family (`NETLINK_ROUTE` 0, `NETLINK_NETFILTER` 12) and joins multicast `groups`
    /// by number (`RTNLGRP_…`, `NFNLGRP_…`).
    package init(family: Int32, groups: [UInt32] = []) throws(SystemError) {
        let name =
            family == 0 ? "rtnetlink" : family == 12 ? "nf_tables netlink" : "netlink \(family)"
        let raw = try check("open a \(name) socket") {
            Glibc.socket(
                AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), family)
        }
        let opened = FileDescriptor(owning: raw)
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        _ = try check("bind a \(name) socket") {
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(raw, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
                }
            }
        }
        var length = socklen_t(MemoryLayout<sockaddr_nl>.size)
        _ = try check("read the address of a \(name) socket") {
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    getsockname(raw, $0, &length)
                }
            }
        }
        for group in groups {
            var number = group
            _ = try check("join \(name) group \(group)") { setsockopt(raw, 270, 1, &number, 4) }
        }
        // The kernel answers a request within the send call; a lost answer must not hang its caller.
        var timeout = timeval(tv_sec: 2, tv_usec: 0)
        length = socklen_t(MemoryLayout<timeval>.size)
        _ = try check("set the \(name) time-out") {
            setsockopt(raw, SOL_SOCKET, SO_RCVTIMEO, &timeout, length)
        }
        var receiveBytes: Int32 = 1 << 20
        _ = setsockopt(raw, SOL_SOCKET, SO_RCVBUF, &receiveBytes, 4)
        socket = opened
        what = name
        portID = address.nl_pid
    }

    package borrowing func send(_ message: [UInt8]) throws(SystemError) {
        let raw = socket.raw
        _ = try check("send to \(what)") {
            message.withUnsafeBytes { Glibc.send(raw, $0.baseAddress, $0.count, 0) }
        }
    }

    /// The next datagram; blocks for at most two seconds unless `wait` is false (then `EAGAIN` is thrown).
    package borrowing func receive(wait: Bool = true) throws(SystemError) -> [NetlinkReply] {
        let raw = socket.raw
        let flags = wait ? 0 : Int32(MSG_DONTWAIT)
        return NetlinkReply.parse(
            try readBytes("read from \(what)", atMost: Self.datagramMax) {
                recv(raw, $0, Self.datagramMax, flags)
            })
    }

    /// Sends a request of `count` messages with `NLM_F_ACK` set and waits for every acknowledgement.
    ///
    /// The messages are given sequence numbers of the socket's own. Throws the first refusal, after all
    /// were read, as `cannot <attempted>: <reason>`.
    package borrowing func transact(
        _ message: [UInt8], acknowledgements count: Int = 1, _ attempted: @autoclosure () -> String
    ) throws(SystemError) {
        let first = try sendNumbered(message, count)
        var seen = 0
        var refusal: Int32 = 0
        while seen < count {
            for reply in try receive() where reply.sequence &- first < UInt32(count) {
                guard let code = reply.errorCode else { continue }
                seen += 1
                if refusal == 0 { refusal = -code }
            }
        }
        if refusal != 0 { throw SystemError(attempted(), code: refusal) }
    }

    /// Sends a dump request and collects its answers up to `NLMSG_DONE`.
    ///
    /// The request is given a sequence number of the socket's own.
    package borrowing func dump(_ message: [UInt8], _ attempted: @autoclosure () -> String)
        throws(SystemError) -> [NetlinkReply]
    {
        // The kernel refuses a dump (EBUSY) while an earlier one, given up in the middle, is not read.
        for _ in 0..<Self.leftoversMax where (try? receive(wait: false)) == nil { break }
        let own = try sendNumbered(message, 1)
        var answers: [NetlinkReply] = []
        while true {
            for reply in try receive() where reply.sequence == own {
                // A dump that the kernel broke off ends in NLMSG_DONE with a negative errno value.
                let end = reply.type == 3 ? reply.payload.number(at: 0, as: Int32.self) ?? 0 : nil
                if let code = reply.errorCode ?? end.flatMap({ $0 < 0 ? $0 : nil }) {
                    throw SystemError(attempted(), code: -code)
                }
                if end != nil { return answers }
                answers.append(reply)
            }
        }
    }

    /// Sends messages under the next `count` sequence numbers; returns the first of them.
    private borrowing func sendNumbered(_ message: [UInt8], _ count: Int) throws(SystemError)
        -> UInt32
    {
        let first = nextSequence.add(UInt32(count), ordering: .relaxed).oldValue
        var bytes = message
        var offset = 0
        var sequence = first
        while let length = message[offset...].number(at: 0, as: UInt32.self), length >= 16 {
            withUnsafeBytes(of: sequence) { number in
                for (index, byte) in number.enumerated() { bytes[offset + 8 + index] = byte }
            }
            sequence &+= 1
            offset += Int(length + 3) & ~3
            guard offset < message.count else { break }
        }
        try send(bytes)
        return first
    }
}
