package import Base

/// The IPv4 part of rtnetlink that we speak (RFC 3549, `linux/rtnetlink.h`, `linux/fib_rules.h`).
package enum Rtnl {
    /// Multicast groups (`RTNLGRP_…`).
    package enum Group: UInt32, Sendable {
        case link = 1
        case addresses = 5
        case routes = 7
        case rules = 8
    }

    /// Dump requests.
    package enum Request: UInt16, Sendable {
        case getLink = 18
        case getAddress = 22
        case getRoute = 26
        case getRule = 34

        /// Bytes of the fixed header that follows the netlink header.
        private var headerBytes: Int {
            switch self {
            case .getLink: 16
            case .getAddress: 8
            case .getRoute, .getRule: 12
            }
        }

        package func message(sequence: UInt32) -> [UInt8] {
            var message = NetlinkMessage()
            // NLM_F_REQUEST | NLM_F_DUMP
            message.begin(type: rawValue, flags: 0x301, sequence: sequence)
            let family: UInt8 = self == .getLink ? 0 : Rtnl.inet
            message.append(bytes: [family] + Array(repeating: 0, count: headerBytes - 1))
            message.end()
            return message.bytes
        }
    }

    /// What to do with a route or rule: the message's flags, `NLM_F_REQUEST | NLM_F_ACK` included.
    package enum Verb: Sendable {
        /// Fails with EEXIST if there is one (`ip … add`).
        case create
        /// Replaces the first one of the same destination and metric in one step (`ip route replace`).
        case createOrReplace
        /// Puts it before others of the same destination and metric (`ip route prepend`).
        case createBefore
        case delete

        fileprivate var flags: UInt16 {
            switch self {
            case .create: 0x605
            case .createOrReplace: 0x505
            case .createBefore: 0x405
            case .delete: 0x005
            }
        }
    }

    /// `AF_INET`
    fileprivate static let inet: UInt8 = 2
}

extension Rtnl {
    /// `RTM_NEWLINK`: an interface.
    package struct Link: Hashable, Sendable {
        package let index: Int32
        package let name: String
        private let flags: UInt32

        package init?(_ reply: NetlinkReply) {
            guard reply.type == 16, let index = reply.payload.number(at: 4, as: Int32.self),
                let flags = reply.payload.number(at: 8, as: UInt32.self),
                let name = reply.attributes(after: 16)[3]?.cString  // IFLA_IFNAME
            else { return nil }
            self.index = index
            self.flags = flags
            self.name = name
        }

        /// `IFF_UP`: switched on by the administrator.
        package var isEnabled: Bool { flags & 0x1 != 0 }
        /// `IFF_POINTOPOINT`
        package var isPointToPoint: Bool { flags & 0x10 != 0 }
        /// `IFF_RUNNING`: operational in the sense of RFC 2863, for Wi-Fi also authenticated.
        package var isRunning: Bool { flags & 0x40 != 0 }
        /// `IFF_LOWER_UP`: carrier.
        package var isLowerUp: Bool { flags & 0x10000 != 0 }
    }

    /// `RTM_NEWADDR`: an IPv4 address of an interface.
    package struct Address: Hashable, Sendable {
        package let interfaceIndex: Int32
        package let address: IPv4Address
        package let prefixLength: UInt8
        /// `RT_SCOPE_UNIVERSE`: valid everywhere.
        package let isGlobal: Bool
        /// `IFA_F_SECONDARY`: another address of the same network comes before it.
        package let isSecondary: Bool

        package init?(_ reply: NetlinkReply) {
            let attributes = reply.attributes(after: 8)
            guard reply.type == 20, let header = Header(reply.payload, bytes: 8),
                header[0] == Rtnl.inet, header[1] <= 32,
                let index = reply.payload.number(at: 4, as: Int32.self),
                // IFA_LOCAL is our own end; IFA_ADDRESS is the other one on point-to-point links.
                let bytes = attributes[2] ?? attributes[1], let address = IPv4Address(bytes: bytes)
            else { return nil }
            interfaceIndex = index
            self.address = address
            prefixLength = header[1]
            isGlobal = header[3] == 0
            isSecondary = header[2] & 0x01 != 0
        }
    }

    /// `RTM_NEWROUTE`, `RTM_DELROUTE`: an IPv4 route.
    package struct Route: Hashable, Sendable {
        /// `RTN_UNICAST`
        package static let unicast: UInt8 = 1

        package var destinationLength: UInt8 = 0
        package var table: UInt32
        package var routeProtocol: UInt8
        package var kind = unicast
        package var gateway: IPv4Address?
        /// nil for a route over several or no interfaces.
        package var interfaceIndex: Int32?
        package var metric: UInt32 = 0

        /// A default route.
        package init(
            table: UInt32, routeProtocol: UInt8, gateway: IPv4Address?, interfaceIndex: Int32,
            metric: UInt32
        ) {
            self.table = table
            self.routeProtocol = routeProtocol
            self.gateway = gateway
            self.interfaceIndex = interfaceIndex
            self.metric = metric
        }

        package init?(_ reply: NetlinkReply) {
            guard reply.type == 24 || reply.type == 25,
                let header = Header(reply.payload, bytes: 12), header[0] == Rtnl.inet
            else { return nil }
            let attributes = reply.attributes(after: 12)
            destinationLength = header[1]
            // RTA_TABLE holds numbers that do not fit the header's byte.
            table = attributes[15]?.number(at: 0, as: UInt32.self) ?? UInt32(header[4])
            routeProtocol = header[5]
            kind = header[7]
            gateway = attributes[5].flatMap { IPv4Address(bytes: $0) }  // RTA_GATEWAY
            interfaceIndex = attributes[4]?.number(at: 0, as: Int32.self)  // RTA_OIF
            metric = attributes[6]?.number(at: 0, as: UInt32.self) ?? 0  // RTA_PRIORITY
        }

        /// The message that adds, replaces or deletes this default route.
        package func request(_ verb: Verb, sequence: UInt32) -> [UInt8] {
            precondition(destinationLength == 0)
            var message = NetlinkMessage()
            message.begin(type: verb == .delete ? 25 : 24, flags: verb.flags, sequence: sequence)
            // RT_SCOPE_LINK for a route without next hop.
            let scope: UInt8 = gateway == nil ? 253 : 0
            message.append(bytes: [Rtnl.inet, 0, 0, 0, 0, routeProtocol, scope, kind])
            message.append(UInt32(0))
            message.attribute(15, host: table)
            if let gateway { message.attribute(5, gateway.bytes) }
            if let interfaceIndex { message.attribute(4, host: interfaceIndex) }
            message.attribute(6, host: metric)
            message.end()
            return message.bytes
        }
    }

    /// `RTM_NEWRULE`: an IPv4 routing rule that looks into a table.
    package struct Rule: Hashable, Sendable {
        package var priority: UInt32
        package var table: UInt32
        package var ruleProtocol: UInt8
        package var outputInterface: String?
        package var source: IPv4Address?
        /// A packet's mark, and which bits of it count.
        package var mark: UInt32?
        package var markMask: UInt32?
        /// Routes with a prefix of at most this length do not count.
        package var suppressedPrefixLength: UInt32?

        package init(priority: UInt32, table: UInt32, ruleProtocol: UInt8) {
            self.priority = priority
            self.table = table
            self.ruleProtocol = ruleProtocol
        }

        package init?(_ reply: NetlinkReply) {
            guard reply.type == 32, let header = Header(reply.payload, bytes: 12),
                header[0] == Rtnl.inet
            else { return nil }
            let attributes = reply.attributes(after: 12)
            priority = attributes[6]?.number(at: 0, as: UInt32.self) ?? 0
            table = attributes[15]?.number(at: 0, as: UInt32.self) ?? UInt32(header[4])
            ruleProtocol = attributes[21]?.first ?? 0
            outputInterface = attributes[17]?.cString
            source = header[2] == 32 ? attributes[2].flatMap { IPv4Address(bytes: $0) } : nil
            mark = attributes[10]?.number(at: 0, as: UInt32.self)
            markMask = attributes[16]?.number(at: 0, as: UInt32.self)
            let suppressed = attributes[14]?.number(at: 0, as: UInt32.self)
            suppressedPrefixLength = suppressed == .max ? nil : suppressed
        }

        /// The message that adds or deletes this rule.
        package func request(_ verb: Verb, sequence: UInt32) -> [UInt8] {
            var message = NetlinkMessage()
            message.begin(type: verb == .delete ? 33 : 32, flags: verb.flags, sequence: sequence)
            // The last byte is FR_ACT_TO_TBL.
            message.append(bytes: [Rtnl.inet, 0, source == nil ? 0 : 32, 0, 0, 0, 0, 1])
            message.append(UInt32(0))
            message.attribute(6, host: priority)
            message.attribute(15, host: table)
            message.attribute(21, [ruleProtocol])
            if let outputInterface { message.attribute(17, string: outputInterface) }
            if let source { message.attribute(2, source.bytes) }
            if let mark { message.attribute(10, host: mark) }
            if let markMask { message.attribute(16, host: markMask) }
            if let suppressedPrefixLength { message.attribute(14, host: suppressedPrefixLength) }
            message.end()
            return message.bytes
        }
    }
}

/// The bytes of a fixed message header, known to be there.
private struct Header {
    private let bytes: ArraySlice<UInt8>

    init?(_ payload: ArraySlice<UInt8>, bytes count: Int) {
        guard payload.count >= count else { return nil }
        bytes = payload.prefix(count)
    }

    subscript(_ offset: Int) -> UInt8 { bytes[bytes.startIndex + offset] }
}
