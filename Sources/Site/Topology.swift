/// The site's network as a shell script: namespaces, cables, addresses, routes, the providers' NAT.
///
///     office ─┐
///     router ─┴ ispa ─┐            ┌ cloud 203.0.113.10 to .12
///     router ── ispb ─┼─ internet ─┤
///     router ── ispc ─┘            └ remote 198.51.100.20
///     plc ── br-lan of router
enum Topology {
    /// The address in the internet that nobody in the site should ever reach: `evil.example`.
    static let evilAddress = "192.0.2.66"

    static var script: String {
        (["set -eu", batch(nil, places + cables)]
            + Place.allCases.map { batch($0, ["link set lo up"] + hosts($0)) }
            + forwarding
            + ISP.allCases.map { provider($0) })
            .joined(separator: "\n") + "\n"
    }

    /// One `ip` process for many commands.
    private static func batch(_ place: Place?, _ commands: [String]) -> String {
        let target = place.map { " -n \($0.rawValue)" } ?? ""
        return "ip\(target) -batch - <<'END'\n\(commands.joined(separator: "\n"))\nEND"
    }

    private static var places: [String] { Place.allCases.map { "netns add \($0.rawValue)" } }

    private static var cables: [String] {
        ISP.allCases.flatMap { isp in
            [
                cable(.internet, "isp-\(isp)", isp.place, "wan"),
                cable(.router, isp.routerInterface, isp.place, "router"),
            ]
        } + [
            cable(.office, "eth0", .ispA, "office"),
            cable(.cloud, "eth0", .internet, "cloud"),
            cable(.remote, "eth0", .internet, "remote"),
            cable(.plc, "eth0", .router, "lan0"),
        ]
    }

    private static func cable(_ a: Place, _ end: String, _ b: Place, _ other: String) -> String {
        "link add \(end) netns \(a.rawValue) type veth peer name \(other) netns \(b.rawValue)"
    }

    private static func hosts(_ place: Place) -> [String] {
        switch place {
        case .internet:
            ["1.1.1.1", "9.9.9.9", evilAddress].map { "addr add \($0)/32 dev lo" }
                + ISP.allCases.flatMap { up("isp-\($0)", "100.64.\($0.rawValue).1/30") }
                + up("cloud", "203.0.113.1/24") + up("remote", "198.51.100.1/24")
        case .ispA:
            ["link add company type bridge", "link set router master company up"]
                + ["link set office master company up"] + up("company", "10.1.0.1/24")
                + upstream(.a)
        case .ispB: up("router", "10.2.0.1/24") + upstream(.b)
        case .ispC: up("router", "10.3.0.1/24") + upstream(.c)
        case .cloud:
            up("eth0", "203.0.113.10/24") + [
                "addr add \(EnrolmentServer.address)/24 dev eth0",
                "addr add \(BulkServer.address)/24 dev eth0",
                "route add default via 203.0.113.1",
            ]
        case .remote: up("eth0", "198.51.100.20/24") + ["route add default via 198.51.100.1"]
        case .office:
            // The company's other hosts do know the way to the machine, if the router lets them.
            up("eth0", "10.1.0.66/24") + [
                "route add default via 10.1.0.1", "route add 192.168.140.0/24 via 10.1.0.2",
                "route add 10.8.0.0/24 via 10.1.0.2",
            ]
        case .router:
            // No default route: choosing one is the daemon's task.
            ISP.allCases.flatMap { up($0.routerInterface, "10.\($0.rawValue).0.2/24") }
                + ["link add br-lan type bridge", "link set lan0 master br-lan up"]
                + up("br-lan", "192.168.140.1/24")
        case .plc: up("eth0", "192.168.140.10/24") + ["route add default via 192.168.140.1"]
        }
    }

    private static func up(_ interface: String, _ address: String) -> [String] {
        ["addr add \(address) dev \(interface)", "link set dev \(interface) up"]
    }

    private static func upstream(_ isp: ISP) -> [String] {
        up("wan", "100.64.\(isp.rawValue).2/30")
            + ["route add default via 100.64.\(isp.rawValue).1"]
    }

    /// The router forwards, too, as if nobody had cared: whatever is closed there, the daemon closed.
    private static var forwarding: [String] {
        // A silent death of ISP A happens upstream: the company's own bridge must go on carrying packets,
        // which on a kernel with br_netfilter the provider's rules would stop, too.
        ["ip netns exec ispa sysctl -eqw net.bridge.bridge-nf-call-iptables=0"]
            + [Place.internet, .ispA, .ispB, .ispC, .cloud, .router].map {
                "ip netns exec \($0.rawValue) sysctl -qw net.ipv4.ip_forward=1"
                    + " net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0"
            }
    }

    /// A provider translates its customers' addresses, so answers come back through it.
    private static func provider(_ isp: ISP) -> String {
        """
        ip netns exec \(isp.place.rawValue) nft -f - <<'END'
        table ip isp {
            chain faults {}
            chain forward {
                type filter hook forward priority -300; policy accept;
                jump faults
            }
            chain postrouting {
                type nat hook postrouting priority 100; policy accept;
                oifname "wan" masquerade
            }
        }
        END
        """
    }
}
