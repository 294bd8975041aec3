/// Which connection went out over which uplink: table `inet drawbridge_uplinks`, which only marks and counts.
///
/// - What goes out over an uplink has its connection marked with that uplink.
/// - What comes from elsewhere (the LAN, the VPN) within such a connection is sent over the same uplink again, by its
///   packet mark and a routing rule: a fail-back moves new connections only. When an uplink fails, its connections are
///   taken from the kernel's table, and their next packets go over the new one.
/// - Packets to public addresses, and replies from them, are counted: a silence is seen within a moment. What is
///   spoken with private addresses says nothing about the way to the internet.
package struct FlowRules: Equatable, Sendable {
    package static let table = "drawbridge_uplinks"
    /// The bits of packet and connection marks that tell the uplink; the firewall uses others.
    package static let markMask: UInt32 = 0x0f00

    /// The value of those bits for an uplink.
    package static func mark(_ uplink: Int) -> UInt32 { UInt32(uplink + 1) << 8 }
    package static func outCounter(_ uplink: Int) -> String { "out_\(uplink)" }
    package static func inCounter(_ uplink: Int) -> String { "in_\(uplink)" }

    /// RFC 6890, section 2.2: not the public internet.
    private static let elsewhere =
        "{ 0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, "
        + "192.168.0.0/16, 224.0.0.0/3 }"

    /// By preference.
    private let interfaces: [String]

    package init(interfaces: [String]) {
        precondition(interfaces.count <= RoutePlan.uplinksMax)
        self.interfaces = interfaces
    }

    /// One transaction for `nft -f -` that keeps the counters and exchanges the rules.
    package var text: String {
        let mask = Self.markMask
        let rest = Self.hexadecimal(~mask)
        let names = interfaces.map { "\"\($0)\"" }.joined(separator: ", ")
        var counters: [String] = []
        var incoming = [
            "iifname != { \"lo\", \(names) } ct mark & \(Self.hexadecimal(mask)) != 0 "
                + "meta mark set ct mark & \(Self.hexadecimal(mask))"
        ]
        var outgoing: [String] = []
        for (number, interface) in interfaces.enumerated() {
            let mark = Self.hexadecimal(Self.mark(number))
            counters += ["counter \(Self.outCounter(number)) {", "}"]
            counters += ["counter \(Self.inCounter(number)) {", "}"]
            incoming.append(
                "iifname \"\(interface)\" ct direction reply ct state established "
                    + "ip saddr != \(Self.elsewhere) counter name \(Self.inCounter(number))")
            outgoing.append(
                "oifname \"\(interface)\" ct mark & \(Self.hexadecimal(mask)) != \(mark) "
                    + "ct mark set ct mark & \(rest) | \(mark)")
            outgoing.append(
                "oifname \"\(interface)\" ip daddr != \(Self.elsewhere) "
                    + "counter name \(Self.outCounter(number))")
        }
        let lines =
            ["add table inet \(Self.table)", "flush table inet \(Self.table)"]
            + ["table inet \(Self.table) {"] + counters
            + ["chain incoming {", "type filter hook prerouting priority mangle; policy accept;"]
            + incoming + ["}"]
            + ["chain outgoing {", "type filter hook postrouting priority mangle; policy accept;"]
            + outgoing + ["}", "}"]
        return lines.map { $0 + "\n" }.joined()
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        "0x" + String(value, radix: 16)
    }
}
