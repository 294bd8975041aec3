import Base
package import Settings

/// What another config would open, close or move, in words: a pure function of two settings.
package struct PolicyChange: Equatable, Sendable {
    package var opens: [String]
    package var closes: [String]
    /// What is neither open nor closed: which interface is what.
    package var becomes: [String]
    package var was: [String]

    package init(from old: Settings, to new: Settings) {
        let (before, after) = (Self.permissions(old), Self.permissions(new))
        opens = Self.surplus(after, over: before)
        closes = Self.surplus(before, over: after)
        becomes = Self.surplus(Self.places(new), over: Self.places(old))
        was = Self.surplus(Self.places(old), over: Self.places(new))
    }

    package var isEmpty: Bool {
        opens.isEmpty && closes.isEmpty && becomes.isEmpty && was.isEmpty
    }

    /// A line each, as `drawbridge firewall plan` prints them.
    package var lines: [String] {
        was.map { "was:     \($0)" } + becomes.map { "becomes: \($0)" }
            + closes.map { "closes:  \($0)" } + opens.map { "opens:   \($0)" }
    }

    /// What `all` holds and `others` do not, in its order.
    private static func surplus(_ all: [String], over others: [String]) -> [String] {
        let known = Set(others)
        var seen: Set<String> = []
        return all.filter { !known.contains($0) && seen.insert($0).inserted }
    }

    // MARK: what a config says

    private static func places(_ settings: Settings) -> [String] {
        let lan = settings.lan
        return settings.uplinks.map { "WAN is \($0.interface), uplink \($0.name)" }
            + ["LAN is \(lan.network) on \(lan.interface)"]
            + settings.firewall.translations.map { "\($0) (\($0.comment))" }
            + (settings.vpn.map { ["VPN is \($0.network) on \($0.interface)"] } ?? [])
    }

    /// Who may send what to whom, besides what always may (`docs/behaviour.md` §2).
    private static func permissions(_ settings: Settings) -> [String] {
        let ports = settings.cloud.ports.map(\.description).joined(separator: " ")
        var lines = settings.cloud.domains.map { "router to \($0), \(ports)" }
        lines += settings.dns.servers.map { "router to \($0), tcp/53 udp/53 (name server)" }
        lines += settings.ntp.servers.map { "router to \($0), udp/123 (time server)" }
        for uplink in settings.uplinks {
            lines += uplink.keepAlive.probes.map {
                "router to \($0.address), \($0.service) over \(uplink.interface) (keep-alive)"
            }
            if let page = uplink.keepAlive.captiveCheck.page?.endpoint {
                lines.append(
                    "router to \(page.host), \(page.port) over \(uplink.interface) (login check)")
            }
            if uplink.usesDHCP { lines.append("router and DHCP servers on \(uplink.interface)") }
        }
        lines += settings.machines.map {
            "router to \($0.address), tcp/\($0.port) (machine \($0.name))"
        }
        lines += settings.subscriptions.map {
            "router to \($0.address), tcp/\($0.port) (broker \($0.name))"
        }
        lines += settings.lan.services.map { "LAN to router, \($0.rawValue)" }
        if let page = settings.page.listen {
            lines.append(
                "LAN to router \(page.address), tcp/\(page.port) (status page)")
        }
        if let push = settings.push.listen {
            lines.append("LAN to router \(push.address), tcp/\(push.port) (push)")
        }
        if let vpn = settings.vpn {
            let words = settings.firewall.hidesVPN ? ", under the router's own address" : ""
            lines.append(
                "VPN \(vpn.network) to LAN \(settings.lan.network), anything while the key is on\(words)"
            )
        }
        return lines + exceptions(settings.firewall)
    }

    private static func exceptions(_ firewall: Settings.Firewall) -> [String] {
        var lines: [String] = []
        if firewall.lanToWAN != .neither {
            lines.append("machines to \(firewall.lanToWAN.words) over the uplinks, any port")
        }
        lines += firewall.allowed.map { allow in
            let end = allow.until.map { " until \(CivilTime($0)) UTC" } ?? ""
            return "\(inward(allow.from == .wan))\(allow)\(end) (\(allow.comment))"
        }
        return lines + firewall.forwards.map { "\(inward(true))\($0) (\($0.comment))" }
    }

    private static func inward(_ isInward: Bool) -> String { isInward ? "INWARD " : "" }
}
