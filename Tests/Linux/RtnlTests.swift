import Base
import Linux
import TestSupport
import Testing

/// rtnetlink messages, byte by byte, as they pass on a little-endian machine.
@Suite("rtnetlink codec")
struct RtnlTests {
    static let link: [UInt8] = [
        0x34, 0x00, 0x00, 0x00,  // length 52
        0x10, 0x00, 0x00, 0x00,  // RTM_NEWLINK; no flags
        0x00, 0x00, 0x00, 0x00,  // sequence: a notification
        0x00, 0x00, 0x00, 0x00,  // from the kernel
        0x00, 0x00, 0x01, 0x00,  // AF_UNSPEC; ARPHRD_ETHER
        0x02, 0x00, 0x00, 0x00,  // interface 2
        0x43, 0x10, 0x01, 0x00,  // IFF_UP | BROADCAST | RUNNING | MULTICAST | LOWER_UP
        0x00, 0x00, 0x00, 0x00,  // change mask
        0x09, 0x00, 0x03, 0x00,  // IFLA_IFNAME
        0x65, 0x74, 0x68, 0x30,  // "eth0"
        0x00, 0x00, 0x00, 0x00,  // its end; padding
        0x05, 0x00, 0x10, 0x00,  // IFLA_OPERSTATE
        0x06, 0x00, 0x00, 0x00,  // IF_OPER_UP; padding
    ]

    static let address: [UInt8] = [
        0x28, 0x00, 0x00, 0x00,  // length 40
        0x14, 0x00, 0x02, 0x00,  // RTM_NEWADDR; NLM_F_MULTI
        0x05, 0x00, 0x00, 0x00,  // sequence 5
        0x39, 0x30, 0x00, 0x00,  // port 12345
        0x02, 0x18, 0x80, 0x00,  // AF_INET; /24; IFA_F_PERMANENT; RT_SCOPE_UNIVERSE
        0x02, 0x00, 0x00, 0x00,  // interface 2
        0x08, 0x00, 0x01, 0x00,  // IFA_ADDRESS
        0x0a, 0x01, 0x00, 0x02,  // 10.1.0.2
        0x08, 0x00, 0x02, 0x00,  // IFA_LOCAL
        0x0a, 0x01, 0x00, 0x02,  // 10.1.0.2
    ]

    static let setDefault: [UInt8] = [
        0x3c, 0x00, 0x00, 0x00,  // length 60
        0x18, 0x00, 0x05, 0x05,  // RTM_NEWROUTE; REQUEST | ACK | REPLACE | CREATE
        0x07, 0x00, 0x00, 0x00,  // sequence 7
        0x00, 0x00, 0x00, 0x00,  // to the kernel
        0x02, 0x00, 0x00, 0x00,  // AF_INET; destination /0; source /0; TOS 0
        0x00, 0xdb, 0x00, 0x01,  // table: see RTA_TABLE; protocol 219; universe; unicast
        0x00, 0x00, 0x00, 0x00,  // flags
        0x08, 0x00, 0x0f, 0x00,  // RTA_TABLE
        0xe8, 0x03, 0x00, 0x00,  // 1000
        0x08, 0x00, 0x05, 0x00,  // RTA_GATEWAY
        0x0a, 0x01, 0x00, 0x01,  // 10.1.0.1
        0x08, 0x00, 0x04, 0x00,  // RTA_OIF
        0x02, 0x00, 0x00, 0x00,  // interface 2
        0x08, 0x00, 0x06, 0x00,  // RTA_PRIORITY
        0x01, 0x00, 0x00, 0x00,  // metric 1
    ]

    static let addRule: [UInt8] = [
        0x40, 0x00, 0x00, 0x00,  // length 64
        0x20, 0x00, 0x05, 0x06,  // RTM_NEWRULE; REQUEST | ACK | EXCL | CREATE
        0x08, 0x00, 0x00, 0x00,  // sequence 8
        0x00, 0x00, 0x00, 0x00,  // to the kernel
        0x02, 0x00, 0x00, 0x00,  // AF_INET; to /0; from /0; TOS 0
        0x00, 0x00, 0x00, 0x01,  // table: see FRA_TABLE; FR_ACT_TO_TBL
        0x00, 0x00, 0x00, 0x00,  // flags
        0x08, 0x00, 0x06, 0x00,  // FRA_PRIORITY
        0x2a, 0x4e, 0x00, 0x00,  // 20010
        0x08, 0x00, 0x0f, 0x00,  // FRA_TABLE
        0xe8, 0x03, 0x00, 0x00,  // 1000
        0x05, 0x00, 0x15, 0x00,  // FRA_PROTOCOL
        0xdb, 0x00, 0x00, 0x00,  // 219; padding
        0x09, 0x00, 0x11, 0x00,  // FRA_OIFNAME
        0x65, 0x74, 0x68, 0x30,  // "eth0"
        0x00, 0x00, 0x00, 0x00,  // its end; padding
    ]

    private func only(_ datagram: [UInt8]) throws -> NetlinkReply {
        let replies = NetlinkReply.parse(datagram)
        #expect(replies.count == 1)
        return try #require(replies.first)
    }

    @Test("an interface")
    func readsLink() throws {
        let link = try #require(Rtnl.Link(only(Self.link)))
        #expect(link.index == 2)
        #expect(link.name == "eth0")
        #expect(link.isEnabled && link.isRunning && link.isLowerUp && !link.isPointToPoint)

        var unplugged = Self.link
        unplugged.replaceSubrange(24..<28, with: [0x03, 0x10, 0x00, 0x00])
        let without = try #require(Rtnl.Link(only(unplugged)))
        #expect(without.isEnabled && !without.isRunning && !without.isLowerUp)
    }

    @Test("an address, and its scope, rank and family")
    func readsAddress() throws {
        let address = try #require(Rtnl.Address(only(Self.address)))
        #expect(address.interfaceIndex == 2)
        #expect(address.address == IPv4Address("10.1.0.2"))
        #expect(address.prefixLength == 24)
        #expect(address.isGlobal && !address.isSecondary)

        func changed(_ offset: Int, _ byte: UInt8) throws -> Rtnl.Address? {
            var bytes = Self.address
            bytes[offset] = byte
            return Rtnl.Address(try only(bytes))
        }
        #expect(try changed(18, 0x81)?.isSecondary == true)
        #expect(try changed(19, 253)?.isGlobal == false)
        #expect(try changed(16, 10) == nil, "IPv6")
        #expect(try changed(17, 33) == nil, "no prefix of IPv4")
        #expect(try changed(4, 0x15) == nil, "RTM_DELADDR")
    }

    @Test("a default route is written and read back")
    func route() throws {
        let route = Rtnl.Route(
            table: 1000, routeProtocol: 219, gateway: IPv4Address("10.1.0.1"), interfaceIndex: 2,
            metric: 1)
        #expect(route.request(.createOrReplace, sequence: 7) == Self.setDefault)
        #expect(Rtnl.Route(try only(Self.setDefault)) == route)
    }

    @Test("a route without next hop has link scope; verbs are told by type and flags")
    func routeVerbs() throws {
        let route = Rtnl.Route(
            table: 254, routeProtocol: 219, gateway: nil, interfaceIndex: 9, metric: 0)
        #expect(route.request(.create, sequence: 1)[22] == 253)
        #expect(route.request(.create, sequence: 1)[4..<8] == [0x18, 0, 0x05, 0x06])
        #expect(route.request(.createBefore, sequence: 1)[4..<8] == [0x18, 0, 0x05, 0x04])
        #expect(route.request(.delete, sequence: 1)[4..<8] == [0x19, 0, 0x05, 0x00])
        #expect(Rtnl.Route(try only(route.request(.delete, sequence: 1))) == route)
    }

    @Test("a rule is written and read back")
    func rule() throws {
        var rule = Rtnl.Rule(priority: 20_010, table: 1000, ruleProtocol: 219)
        rule.outputInterface = "eth0"
        #expect(rule.request(.create, sequence: 8) == Self.addRule)
        #expect(Rtnl.Rule(try only(Self.addRule)) == rule)

        var source = Rtnl.Rule(priority: 20_020, table: 1000, ruleProtocol: 219)
        source.source = IPv4Address("10.1.0.2")
        #expect(Rtnl.Rule(try only(source.request(.create, sequence: 9))) == source)
        var specific = Rtnl.Rule(priority: 20_000, table: 254, ruleProtocol: 219)
        specific.suppressedPrefixLength = 0
        #expect(Rtnl.Rule(try only(specific.request(.create, sequence: 9))) == specific)
    }

    @Test("a dump request is a header and zeros")
    func dumpRequest() {
        #expect(
            Rtnl.Request.getAddress.message(sequence: 3) == [
                0x18, 0x00, 0x00, 0x00,  // length 24
                0x16, 0x00, 0x01, 0x03,  // RTM_GETADDR; REQUEST | DUMP
                0x03, 0x00, 0x00, 0x00,  // sequence 3
                0x00, 0x00, 0x00, 0x00,  // to the kernel
                0x02, 0x00, 0x00, 0x00,  // AF_INET
                0x00, 0x00, 0x00, 0x00,
            ])
    }

    @Test("several messages in one datagram, a truncated one last")
    func batches() {
        let both = Self.link + Self.address
        #expect(NetlinkReply.parse(both).map(\.type) == [16, 20])
        #expect(NetlinkReply.parse(both.dropLast(1)).map(\.type) == [16])
        var short = Self.link
        short[0] = 15
        #expect(NetlinkReply.parse(short).isEmpty, "shorter than its own header")
    }

    @Test("nested attributes carry their flag and their length")
    func nesting() {
        var message = NetlinkMessage()
        message.nested(1) { inner in
            inner.attribute(2, network: UInt32(0x0102_0304))
            inner.attribute(3, string: "a")
        }
        #expect(
            message.bytes == [
                0x14, 0x00, 0x01, 0x80,  // 20 bytes; type 1 | NLA_F_NESTED
                0x08, 0x00, 0x02, 0x00, 0x01, 0x02, 0x03, 0x04,  // type 2, network order
                0x06, 0x00, 0x03, 0x00, 0x61, 0x00, 0x00, 0x00,  // type 3, "a", padding
            ])
        let outer = NetlinkReply.attributes(message.bytes[...])
        let inner = outer[1].map { NetlinkReply.attributes($0) }
        #expect(inner?[3]?.cString == "a")
    }

    @Test("a hundred thousand broken datagrams harm nobody", arguments: [UInt64(1), 2])
    func fuzz(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var understood = 0
        for number in 0..<50_000 {
            let original = [Self.link, Self.address, Self.setDefault, Self.addRule][number % 4]
            for reply in NetlinkReply.parse(random.mutate(original)) {
                if Rtnl.Link(reply) != nil || Rtnl.Address(reply) != nil
                    || Rtnl.Route(reply) != nil || Rtnl.Rule(reply) != nil
                {
                    understood += 1
                }
                _ = reply.errorCode
            }
        }
        #expect(understood > 1000, "seed \(seed): the mutations must leave some whole")
    }
}
