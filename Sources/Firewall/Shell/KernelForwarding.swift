import Base
import Glibc
package import Linux

/// `/proc/sys/net` and the routing rules: what keeps WAN and LAN apart with an empty packet filter.
package struct KernelForwarding: Forwarding {
    /// The protocol number of our rules (`ip rule show`).
    package static let ruleProtocol: UInt8 = 220
    /// Before the uplinks' own rules.
    private static let firstPriority: UInt32 = 10_000
    private static let rulesMax: UInt32 = 1000
    private static let mainTable: UInt32 = 254
    private static let root = "/proc/sys/net"

    /// At most one ICMP message of the masked kinds to a peer in this time, none on loopback excepted: longer than
    /// the minute that the kernel credits each new peer with, so the first one is already too early.
    private static let silenceMilliseconds = 3_600_000
    /// Unreachable, source quench, time exceeded, parameter problem and timestamp reply (icmp(7)): all that
    /// the kernel says of itself but echo replies. "Fragmentation needed" it never holds back.
    private static let silencedMask = 1 << 3 | 1 << 4 | 1 << 11 | 1 << 12 | 1 << 14

    private final class Socket: Sendable {
        let netlink: NetlinkSocket
        init() throws(SystemError) { netlink = try NetlinkSocket(family: 0) }
    }
    private let socket: Socket
    private let entries = KernelEntries()

    package init() throws(SystemError) {
        socket = try Socket()
    }

    package func set(_ plan: ForwardingPlan) throws {
        // Forbidding rules first, so that nothing is forwarded that they would have dropped.
        if let rules = plan.rules { try set(rules) }
        // Writing the switch sets it for every interface: only when it changes, and before the rest.
        try ensure("ipv4/ip_forward", is: plan.isEnabled)
        try ensure("ipv6/conf/all/forwarding", is: false)
        for interface in plan.strict {
            // The way back is looked up with the packet's mark, or our own rules would forbid it.
            try ensure("ipv4/conf/\(interface)/src_valid_mark", is: true)
            try ensure("ipv4/conf/\(interface)/rp_filter", is: true)
            try ensure("ipv4/conf/\(interface)/arp_ignore", is: true)
            try ensure("ipv6/conf/\(interface)/disable_ipv6", is: true)
            // The ports of a bridge would go on asking for IPv6 routers by themselves.
            for port in NeighbourProbe.bridgePorts(of: "\(interface)") {
                try ensure("ipv6/conf/\(port)/disable_ipv6", is: true)
            }
            for redirecting in ["accept_redirects", "send_redirects", "accept_source_route"] {
                try ensure("ipv4/conf/\(interface)/\(redirecting)", is: false)
            }
        }
        // Either one is enough to send, and, while nothing is forwarded, to obey.
        try ensure("ipv4/conf/all/send_redirects", is: false)
        try ensure("ipv4/conf/all/accept_redirects", is: false)
        try ensure("ipv4/icmp_echo_ignore_all", is: !plan.answersPing)
        try ensure("ipv4/icmp_ratelimit", says: "\(Self.silenceMilliseconds)")
        try ensure("ipv4/icmp_ratemask", says: "\(Self.silencedMask)")
        guard plan.isEnabled else { return }
        for interface in plan.closed { try ensure("ipv4/conf/\(interface)/forwarding", is: false) }
        for interface in plan.opened { try ensure("ipv4/conf/\(interface)/forwarding", is: true) }
    }

    private func set(_ rules: [ForwardingPlan.Rule]) throws(SystemError) {
        precondition(rules.count <= Int(Self.rulesMax))
        let wanted = rules.enumerated().map { index, rule in
            Self.kernelRule(rule, priority: Self.firstPriority + UInt32(index))
        }
        let present = try socket.netlink.dump(
            Rtnl.Request.getRule.message(sequence: 1), "list routing rules"
        ).compactMap { Rtnl.ForwardingRule($0) }.filter { $0.ruleProtocol == Self.ruleProtocol }
        // From the end: what drops stands before what lets pass.
        for rule in wanted.reversed() where !present.contains(rule) {
            try change(.create, rule, accepting: EEXIST)
        }
        for rule in present where !wanted.contains(rule) {
            try change(.delete, rule, accepting: ENOENT)
        }
    }

    private func change(_ verb: Rtnl.Verb, _ rule: Rtnl.ForwardingRule, accepting code: Int32)
        throws(SystemError)
    {
        do throws(SystemError) {
            try socket.netlink.transact(
                rule.request(verb),
                "change routing rule \(rule.priority) for packets from \(rule.inputInterface)")
        } catch {
            // Race: somebody else has just done the same.
            if error.code != code { throw error }
        }
    }

    private static func kernelRule(_ rule: ForwardingPlan.Rule, priority: UInt32)
        -> Rtnl.ForwardingRule
    {
        let interface =
            switch rule.packets {
            case .from(let interface): interface.description
            // What this machine sends itself is for the routing rules what comes in there.
            case .superusersTCP: "lo"
            }
        var made = Rtnl.ForwardingRule(
            priority: priority, ruleProtocol: ruleProtocol, from: interface,
            action: rule.action == .drop ? .drop : .table)
        if rule.packets == .superusersTCP {
            made.users = 0...0
            made.transport = UInt8(IPPROTO_TCP)
        }
        made.destination = rule.to
        made.mark = rule.needsMark ? ConnectionMark.forwarded : nil
        if case .route(let onlySpecific) = rule.action {
            made.table = mainTable
            made.suppressedPrefixLength = onlySpecific ? 0 : nil
        }
        return made
    }

    private func ensure(_ name: String, is on: Bool) throws(SystemError) {
        try ensure(name, says: on ? "1" : "0")
    }

    private func ensure(_ name: String, says wanted: String) throws(SystemError) {
        let path = "\(Self.root)/\(name)"
        do throws(SystemError) {
            if try entries.line(path).elementsEqual(wanted.utf8) { return }
        } catch {
            // An uplink that is not plugged in: the rules alone hold it until the next `apply`.
            guard error.code == ENOENT else { throw error }
            return
        }
        try FileDescriptor(open: path, flags: O_WRONLY).writeAll(Array(wanted.utf8))
    }
}
