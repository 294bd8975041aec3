/// What goes over which uplink: table `inet drawbridge_uplinks`, which marks and counts, and refuses what belongs to no
/// connection any more.
///
/// - The firewall marks each connection that it lets begin with its uplink (`docs/behaviour.md` §2.8). What then comes from
///   the LAN within such a connection is sent over the same uplink again, by its packet mark and a routing rule: a
///   fail-back moves new connections only. When an uplink fails, its connections are taken from the kernel's
///   table, and their next packets go over the new one (a connection that began on the WAN ends): first those that are not TCP, by a bit of the mark, since whoever
///   wants to reset the others must list them first, for which the kernel goes through all of its table, slowly.
/// - What a client sends within a TCP connection that the kernel does not know would appear at the server under another
///   address, if at all. It is answered by a reset, so that the client connects again at once. Clients at rest are asked
///   for such a packet (`ResetPacket`).
/// - Packets to public addresses, and replies from them, are counted: a silence is seen within a moment. What is
///   spoken with private addresses says nothing about the way to the internet.
package struct FlowRules: Equatable, Sendable {
    package static let table = "drawbridge_uplinks"
    /// The bits of packet marks that tell the uplink.
    package static let markMask: UInt32 = 0xffff_ff00
    /// Those of connection marks, which have one more beside it.
    package static let connectionMask: UInt32 = 0xffff_0f00
    /// Of a connection mark: it is no TCP connection, so nobody need be told of its end.
    package static let datagrams: UInt32 = 0x1000
    /// The packet mark by which the firewall lets the daemon speak to a client in its server's name.
    package static let question: UInt32 = 0x6463_0001
    /// Counts the resets.
    package static let resetCounter = "resets"
    /// The packet mark by which the firewall lets a packet from the LAN be forwarded at all.
    private static let forwarded: UInt32 = 0x6462_0000

    /// The value of those bits for an uplink.
    package static func mark(_ uplink: Int) -> UInt32 { forwarded | UInt32(uplink + 1) << 8 }
    package static func outCounter(_ uplink: Int) -> String { "out_\(uplink)" }
    package static func inCounter(_ uplink: Int) -> String { "in_\(uplink)" }

    /// RFC 6890, section 2.2: not the public internet.
    private static let elsewhere =
        "{ 0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, "
        + "192.168.0.0/16, 224.0.0.0/3 }"

    /// By preference.
    private let interfaces: [String]
    private let lan: String?

    /// `lan`: the interface of the machines, which the WAN may reach where the firewall opens it; nil: it does not.
    package init(interfaces: [String], lan: String? = nil) {
        precondition(interfaces.count <= RoutePlan.uplinksMax)
        self.interfaces = interfaces
        self.lan = lan
    }

    /// One transaction for `nft -f -` that keeps the counters and exchanges the rules.
    package var text: String {
        let names = interfaces.map { "\"\($0)\"" }.joined(separator: ", ")
        let forwarded = Self.hexadecimal(Self.forwarded)
        var counters: [String] = []
        var incoming: [String] = []
        var begun: [String] = []
        var outgoing: [String] = []
        for (number, interface) in interfaces.enumerated() {
            let mark = Self.hexadecimal(Self.mark(number))
            counters += ["counter \(Self.outCounter(number)) {", "}"]
            counters += ["counter \(Self.inCounter(number)) {", "}"]
            // Without the firewall's mark a packet gets none of ours: its rules may be gone.
            incoming.append(
                "iifname != { \(names) } meta mark \(forwarded) "
                    + "ct mark & \(Self.hexadecimal(Self.connectionMask)) == \(mark) "
                    + "ct direction original meta mark set \(mark)")
            // The kernel asks where a reply's sender would be reached, by the mark: over this uplink, whichever
            // carries. It would drop the reply otherwise (`rp_filter`).
            incoming.append(
                "iifname \"\(interface)\" meta mark \(forwarded) "
                    + "ct mark & \(Self.hexadecimal(Self.connectionMask)) == \(mark) "
                    + "ct direction reply meta mark set \(mark)")
            // What the LAN answers to a connection that began on the WAN.
            incoming.append(
                "iifname != { \(names) } meta mark \(forwarded) "
                    + "ct mark & \(Self.hexadecimal(Self.connectionMask)) == \(mark) "
                    + "ct direction reply meta mark set \(mark)")
            if let lan {
                // Its sender, too, must be found over this uplink, from the first packet on. What leads anywhere else the
                // firewall's routing rules let nowhere, and so it stays.
                begun.append(
                    "iifname \"\(interface)\" meta mark \(forwarded) ct direction original "
                        + "fib daddr oifname \"\(lan)\" meta mark set \(mark)")
            }
            incoming.append(
                "iifname \"\(interface)\" ct direction reply ct state established "
                    + "ip saddr != \(Self.elsewhere) counter name \(Self.inCounter(number))")
            outgoing.append(
                "oifname \"\(interface)\" ip daddr != \(Self.elsewhere) "
                    + "counter name \(Self.outCounter(number))")
            outgoing.append(
                "oifname \"\(interface)\" meta l4proto != tcp "
                    + "ct mark & \(Self.hexadecimal(Self.markMask)) == \(mark) "
                    + "ct mark set ct mark or \(Self.hexadecimal(Self.datagrams))")
        }
        counters += ["counter \(Self.resetCounter) {", "}"]
        let lines =
            ["add table inet \(Self.table)", "flush table inet \(Self.table)"]
            + ["table inet \(Self.table) {"] + counters
            // Right after the firewall's marks.
            + ["chain incoming {", "type filter hook prerouting priority -149; policy accept;"]
            + incoming + ["}"]
            // Behind the translation of addresses.
            + ["chain begun {", "type filter hook prerouting priority -90; policy accept;"]
            + begun + ["}"]
            + ["chain outgoing {", "type filter hook postrouting priority mangle; policy accept;"]
            + outgoing + ["}"]
            // Behind the firewall's: what it drops gets no answer.
            + ["chain refusing {", "type filter hook forward priority 10; policy accept;"]
            + [
                "iifname != { \(names) } oifname { \(names) } ct state new "
                    + "tcp flags & (syn | rst) == 0x0 counter name \(Self.resetCounter) "
                    + "reject with tcp reset", "}",
            ]
            // Its answer would count as part of that connection otherwise.
            + ["chain questions {", "type filter hook output priority raw; policy accept;"]
            + ["meta mark \(Self.hexadecimal(Self.question)) notrack", "}", "}"]
        return lines.map { $0 + "\n" }.joined()
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        "0x" + String(value, radix: 16)
    }
}
