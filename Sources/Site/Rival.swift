import Base
import Glibc

/// Debian's programs in the daemon's place, each as the failover of a router: they lead the default route over the
/// preferred uplink, and over the second one when they think that it has failed.
package enum Rival: String, CaseIterable, Sendable {
    /// `vrrp_script` with a ping a second, `fall 1`, the default.
    case keepalived = "keepalived, fall 1"
    case keepalived3 = "keepalived, fall 3, rise 3"
    /// Needs a peer that speaks BFD behind the provider, which here is one: 300 ms × 3.
    case bfd = "FRR bfdd, 300 ms × 3, with a BFD peer"

    /// nil: it can run; else what is missing.
    package var obstacle: String? {
        let (path, package) =
            self == .bfd
            ? ("/usr/lib/frr/bfdd", "frr") : ("/usr/sbin/keepalived", "keepalived")
        return access(path, X_OK) == 0
            ? nil : "\(path) is missing: bench/setup.sh installs \(package)"
    }

    /// What every router does without a daemon of ours: translation, and a table for each uplink, so that a probe that
    /// is bound to one finds its way.
    private static let router =
        """
        set -eu
        nft -f - <<'END'
        table ip router {
            chain post {
                type nat hook postrouting priority 100; policy accept;
                oifname { "eth0", "wlan0", "wwan0" } masquerade
            }
        }
        END
        ip route add default via 10.1.0.1 table 101
        ip route add default via 10.2.0.1 table 102
        ip rule add oif eth0 table 101 priority 100
        ip rule add oif wlan0 table 102 priority 101
        ip rule add from 10.1.0.2 table 101 priority 102
        ip rule add from 10.2.0.2 table 102 priority 103
        ip route add default via 10.2.0.1 metric 20
        """

    func start(in site: Site) async throws -> [Part] {
        try await site.output(in: .router, ["sh", "-s"], input: Self.router)
        switch self {
        case .keepalived: return [try await keepalived(site, fall: 1, rise: 1)]
        case .keepalived3: return [try await keepalived(site, fall: 3, rise: 3)]
        case .bfd: return try await bfd(site)
        }
    }

    private func keepalived(_ site: Site, fall: Int, rise: Int) async throws -> Part {
        let path = site.directory.path + "/keepalived.conf"
        try site.directory.write(
            """
            global_defs { script_user root }
            vrrp_script internet {
                script "/usr/bin/ping -n -q -c 1 -W 1 -I eth0 1.1.1.1"
                interval 1
                fall \(fall)
                rise \(rise)
            }
            vrrp_instance office {
                state MASTER
                interface eth0
                virtual_router_id 51
                priority 200
                advert_int 1
                virtual_ipaddress { 192.0.2.77/32 dev lo }
                virtual_routes { 0.0.0.0/0 via 10.1.0.1 dev eth0 metric 10 }
                track_interface { eth0 }
                track_script { internet }
            }

            """, to: path)
        return try await site.startBackground(
            in: .router, name: "keepalived",
            [
                "keepalived", "--dont-fork", "--log-console", "--use-file", path, "--pid",
                "/run/keepalived.pid", "--vrrp_pid", "/run/keepalived-vrrp.pid",
            ])
    }

    /// A daemon on each side; a shell follows what the router's says of its peer, and moves the route.
    private func bfd(_ site: Site) async throws -> [Part] {
        // BFD does not go through address translation: the provider leaves it alone, and the peer knows the way back.
        try await site.output(
            in: .ispA,
            ["nft", "insert", "rule", "ip", "isp", "postrouting", "udp", "dport", "4784", "accept"])
        try await site.output(
            in: .internet, ["ip", "route", "add", "10.1.0.0/24", "via", "100.64.1.2"])
        try await site.output(
            in: .router, ["ip", "route", "add", "100.64.1.1/32", "via", "10.1.0.1"])
        func side(_ place: Place, _ peer: String, _ own: String) async throws -> [Part] {
            let folder = "/run/frr-\(place.rawValue)"
            try await site.output(
                in: place,
                [
                    "sh", "-c",
                    """
                    mkdir -p \(folder) && chown frr:frr \(folder)
                    printf 'debug bfd peer\\nbfd\\n peer \(peer) multihop local-address \(own)\\n\
                      detect-multiplier 3\\n  receive-interval 300\\n  transmit-interval 300\\n' \
                        > \(folder)/bfdd.conf
                    """,
                ])
            let common = [
                "-i", "\(folder)/PROGRAM.pid", "-z", "\(folder)/zserv.api", "--vty_socket", folder,
                "-A", "127.0.0.1", "-P", "0", "--log", "stdout",
            ]
            var parts: [Part] = []
            for program in ["zebra", "bfdd"] {
                let own =
                    program == "bfdd"
                    ? ["-f", "\(folder)/bfdd.conf", "--bfdctl", "\(folder)/bfdd.sock"]
                    : ["-f", "/dev/null"]
                parts.append(
                    try await site.startBackground(
                        in: place, name: "\(program)-\(place.rawValue)",
                        ["/usr/lib/frr/\(program)"]
                            + common.map { $0.replacing("PROGRAM", with: program) } + own))
            }
            return parts
        }
        var parts = try await side(.internet, "10.1.0.2", "100.64.1.1")
        parts += try await side(.router, "100.64.1.1", "10.1.0.2")
        let log = parts.last.map { site.directory.log($0.name) } ?? ""
        parts.append(
            try await site.startBackground(
                in: .router, name: "follow-bfd",
                [
                    "sh", "-c",
                    """
                    tail -n +1 -F \(log) | while read -r line; do
                        case $line in
                        *"up -> down"*) ip route del default metric 10 ;;
                        *"-> up"*) ip route replace default via 10.1.0.1 metric 10 ;;
                        esac
                    done
                    """,
                ]))
        return parts
    }
}
