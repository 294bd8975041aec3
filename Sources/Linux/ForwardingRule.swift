package import Base

extension Rtnl {
    /// `RTM_NEWRULE`: an IPv4 routing rule about packets that come in through an interface; what this machine sends
    /// itself comes in through `lo`.
    package struct ForwardingRule: Hashable, Sendable {
        /// `FR_ACT_TO_TBL`, `FR_ACT_BLACKHOLE`
        package enum Action: UInt8, Sendable {
            case table = 1
            case drop = 6
        }

        package var priority: UInt32
        package var ruleProtocol: UInt8
        package var action: Action
        package var inputInterface: String
        package var destination: CIDR?
        /// All bits of it must match.
        package var mark: UInt32?
        /// The socket's owner; the kernel's own answers belong to 0.
        package var users: ClosedRange<UInt32>?
        /// The protocol's number, such as `IPPROTO_TCP`. Costs nothing with `lo`; elsewhere every packet is dissected.
        package var transport: UInt8?
        /// 0: none.
        package var table: UInt32 = 0
        /// Routes with a prefix of at most this length do not count.
        package var suppressedPrefixLength: UInt32?

        package init(
            priority: UInt32, ruleProtocol: UInt8, from inputInterface: String, action: Action
        ) {
            self.priority = priority
            self.ruleProtocol = ruleProtocol
            self.inputInterface = inputInterface
            self.action = action
        }

        /// nil: it is no such rule, or one with other conditions.
        package init?(_ reply: NetlinkReply) {
            let payload = reply.payload
            guard reply.type == 32, payload.count >= 12 else { return nil }
            func header(_ offset: Int) -> UInt8 { payload[payload.startIndex + offset] }
            let attributes = reply.attributes(after: 12)
            guard header(0) == 2, let action = Action(rawValue: header(7)),
                let interface = attributes[3]?.cString, let ruleProtocol = attributes[21]?.first
            else { return nil }
            self.action = action
            self.ruleProtocol = ruleProtocol
            inputInterface = interface
            priority = attributes[6]?.number(at: 0, as: UInt32.self) ?? 0
            table = attributes[15]?.number(at: 0, as: UInt32.self) ?? UInt32(header(4))
            mark = attributes[10]?.number(at: 0, as: UInt32.self)
            destination = attributes[1].flatMap { IPv4Address(bytes: $0) }
                .flatMap { CIDR(containing: $0, prefixLength: Int(header(1))) }
            users = attributes[20].flatMap { bytes in
                guard let first = bytes.number(at: 0, as: UInt32.self),
                    let last = bytes.number(at: 4, as: UInt32.self), first <= last
                else { return nil }
                return first...last
            }
            transport = attributes[22]?.first
            let suppressed = attributes[14]?.number(at: 0, as: UInt32.self)
            suppressedPrefixLength = suppressed == .max ? nil : suppressed
        }

        /// The message that adds or deletes this rule.
        package func request(_ verb: Verb) -> [UInt8] {
            var message = NetlinkMessage()
            // NLM_F_REQUEST | NLM_F_ACK, and to add NLM_F_CREATE | NLM_F_EXCL
            let isDeletion = verb == .delete
            message.begin(
                type: isDeletion ? 33 : 32, flags: isDeletion ? 0x005 : 0x605, sequence: 1)
            let length = UInt8(destination?.prefixLength ?? 0)
            message.append(bytes: [2, length, 0, 0, 0, 0, 0, action.rawValue])
            message.append(UInt32(0))
            message.attribute(6, host: priority)
            message.attribute(21, [ruleProtocol])
            message.attribute(3, string: inputInterface)
            if let destination { message.attribute(1, destination.network.bytes) }
            if let mark {
                message.attribute(10, host: mark)
                message.attribute(16, host: UInt32.max)
            }
            if let users {
                let ends = [users.lowerBound, users.upperBound]
                message.attribute(20, ends.withUnsafeBytes { Array($0) })
            }
            if let transport { message.attribute(22, [transport]) }
            if table != 0 { message.attribute(15, host: table) }
            if let suppressedPrefixLength { message.attribute(14, host: suppressedPrefixLength) }
            message.end()
            return message.bytes
        }
    }
}
