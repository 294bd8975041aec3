package import Base
import Glibc

/// The kernel's table of connections, over ctnetlink (`linux/netfilter/nfnetlink_conntrack.h`).
package enum Conntrack {
    /// Entries whose mark, under the mask, has this value.
    package struct MarkFilter: Hashable, Sendable {
        package var mark: UInt32
        package var mask: UInt32

        package init(mark: UInt32, mask: UInt32) {
            self.mark = mark
            self.mask = mask
        }
    }

    /// An IPv4 TCP connection as its client sees it.
    package struct Connection: Hashable, Sendable {
        package var client: IPv4Address
        package var clientPort: UInt16
        package var server: IPv4Address
        package var serverPort: UInt16

        package init(
            client: IPv4Address, clientPort: UInt16, server: IPv4Address, serverPort: UInt16
        ) {
            self.client = client
            self.clientPort = clientPort
            self.server = server
            self.serverPort = serverPort
        }
    }

    /// Most bytes of a dump that are kept: some eighty thousand entries.
    package static let dumpBytesMax = 24 << 20

    /// `NFNL_SUBSYS_CTNETLINK`
    private static let subsystem: UInt16 = 1 << 8
    private static let get: UInt16 = 1
    private static let delete: UInt16 = 2

    private static func message(
        _ kind: UInt16, flags: UInt16, _ filter: MarkFilter
    ) -> [UInt8] {
        var message = NetlinkMessage()
        message.begin(type: subsystem | kind, flags: flags, sequence: 0)
        message.append(UInt8(AF_INET))
        message.append(bytes: [0, 0, 0])
        message.attribute(8, network: filter.mark)  // CTA_MARK
        message.attribute(21, network: filter.mask)  // CTA_MARK_MASK
        message.end()
        return message.bytes
    }

    /// `NLM_F_REQUEST | NLM_F_ACK`: the kernel goes through its table and deletes what matches.
    package static func deletion(_ filter: MarkFilter) -> [UInt8] {
        message(delete, flags: 0x005, filter)
    }

    /// `NLM_F_REQUEST | NLM_F_DUMP`
    package static func listing(_ filter: MarkFilter) -> [UInt8] {
        message(get, flags: 0x301, filter)
    }

    /// The established IPv4 TCP connections among the entries of a datagram. Bounds are checked; what is not
    /// understood is left out.
    package static func connections(in datagram: [UInt8]) -> [Connection] {
        datagram.withUnsafeBytes { bytes in
            var found: [Connection] = []
            var offset = 0
            while offset + 20 <= bytes.count {
                let length = Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
                guard length >= 20, offset + length <= bytes.count else { break }
                let type = bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt16.self)
                if type == subsystem {  // IPCTNL_MSG_CT_NEW
                    let body = UnsafeRawBufferPointer(
                        rebasing: bytes[(offset + 20)..<(offset + length)])
                    if let connection = connection(body) { found.append(connection) }
                }
                offset += (length + 3) & ~3
            }
            return found
        }
    }

    private static func connection(_ body: UnsafeRawBufferPointer) -> Connection? {
        var tuple: Connection?
        var isEstablished = false
        attributes(body) { type, value in
            switch type {
            case 1: tuple = original(value)  // CTA_TUPLE_ORIG
            case 4:  // CTA_PROTOINFO
                attributes(value) { type, value in
                    guard type == 1 else { return }  // CTA_PROTOINFO_TCP
                    attributes(value) { type, value in
                        // CTA_PROTOINFO_TCP_STATE: established, FIN_WAIT, CLOSE_WAIT.
                        if type == 1, let state = value.first {
                            isEstablished = (3...5).contains(state)
                        }
                    }
                }
            default: break
            }
        }
        return isEstablished ? tuple : nil
    }

    private static func original(_ value: UnsafeRawBufferPointer) -> Connection? {
        var client: UInt32?
        var server: UInt32?
        var ports: (UInt16?, UInt16?) = (nil, nil)
        var isTCP = false
        attributes(value) { type, value in
            switch type {
            case 1:  // CTA_TUPLE_IP: CTA_IP_V4_SRC, CTA_IP_V4_DST
                attributes(value) { type, value in
                    guard value.count == 4 else { return }
                    let address = UInt32(bigEndian: value.loadUnaligned(as: UInt32.self))
                    if type == 1 { client = address }
                    if type == 2 { server = address }
                }
            case 2:  // CTA_TUPLE_PROTO: CTA_PROTO_NUM, …_SRC_PORT, …_DST_PORT
                attributes(value) { type, value in
                    if type == 1 { isTCP = value.first == UInt8(IPPROTO_TCP) }
                    guard value.count == 2 else { return }
                    let port = UInt16(bigEndian: value.loadUnaligned(as: UInt16.self))
                    if type == 2 { ports.0 = port }
                    if type == 3 { ports.1 = port }
                }
            default: break
            }
        }
        guard isTCP, let client, let server, let from = ports.0, let to = ports.1 else {
            return nil
        }
        return Connection(
            client: IPv4Address(value: client), clientPort: from,
            server: IPv4Address(value: server), serverPort: to)
    }

    private static func attributes(
        _ bytes: UnsafeRawBufferPointer, _ body: (UInt16, UnsafeRawBufferPointer) -> Void
    ) {
        var offset = 0
        while offset + 4 <= bytes.count {
            let length = Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
            guard length >= 4, offset + length <= bytes.count else { return }
            let type = bytes.loadUnaligned(fromByteOffset: offset + 2, as: UInt16.self)
            body(
                type & 0x3fff,
                UnsafeRawBufferPointer(rebasing: bytes[(offset + 4)..<(offset + length)]))
            offset += (length + 3) & ~3
        }
    }
}

extension NetlinkSocket {
    /// Deletes the connections that the filter matches, by one request.
    package borrowing func forgetConnections(_ filter: Conntrack.MarkFilter) throws(SystemError) {
        do throws(SystemError) {
            try transact(Conntrack.deletion(filter), "delete connections from the kernel's table")
        } catch {
            // None matched.
            guard error.code == ENOENT else { throw error }
        }
    }

    /// The kernel's list of the connections that the filter matches, unread: `Conntrack.connections(in:)` reads it.
    package borrowing func listConnections(_ filter: Conntrack.MarkFilter) throws(SystemError)
        -> [[UInt8]]
    {
        let raw = descriptor
        try send(Conntrack.listing(filter))
        var datagrams: [[UInt8]] = []
        var bytes = 0
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = try check("list connections") {
                buffer.withUnsafeMutableBytes { recv(raw, $0.baseAddress, $0.count, 0) }
            }
            let datagram = Array(buffer[..<count])
            let type = datagram[...].number(at: 4, as: UInt16.self)
            if type == 3 || type == 2 { return datagrams }  // NLMSG_DONE, NLMSG_ERROR
            bytes += count
            if bytes <= Conntrack.dumpBytesMax { datagrams.append(datagram) }
        }
    }
}
