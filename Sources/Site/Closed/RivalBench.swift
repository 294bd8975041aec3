import Base
import Linux

/// Our rules beside none, ufw's and firewalld's on the same router with the same stream: what a packet costs, and what
/// leaks or is lost while each reloads.
package struct RivalBench: Sendable {
    package enum Firewall: String, CaseIterable, Sendable {
        case none = "no firewall"
        case few = "drawbridge, 10 exceptions"
        case many = "drawbridge, 10,000 exceptions"
        case ufw
        case firewalld

        /// How many exceptions the config has; nil: not ours.
        fileprivate var exceptions: Int? {
            switch self {
            case .few: 10
            case .many: 10_000
            case .none, .ufw, .firewalld: nil
            }
        }

        /// Reloads in one run; they take seconds each.
        package var reloads: Int { self == .ufw ? 10 : 20 }
    }

    /// Packets of one round.
    private static let packets = 100_000

    private let site: Site
    package init(_ site: Site) { self.site = site }

    /// Nanoseconds of processor time a packet, of each firewall in turn, `rounds` times.
    package func costs(rounds: Int) async throws -> [Firewall: [Double]] {
        var costs: [Firewall: [Double]] = [:]
        for _ in 0..<rounds {
            for firewall in Firewall.allCases {
                let part = try await install(firewall, reloads: 0)
                let (cost, arrived) = try await StreamTally(site).cost(of: Self.packets)
                guard arrived * 100 >= Self.packets * 95 else {
                    throw SiteError(
                        "\(firewall.rawValue): only \(arrived) of \(Self.packets) packets passed")
                }
                costs[firewall, default: []].append(cost)
                await remove(part)
            }
        }
        return costs
    }

    /// What leaks and is lost while a rival reloads.
    package func reload(_ firewall: Firewall) async throws -> StreamTally.Result {
        let part = try await install(firewall, reloads: firewall.reloads)
        let go = site.directory.path + "/go"
        let result = try await StreamTally(site).watch(
            "`\(firewall == .ufw ? "ufw reload" : "firewall-cmd --reload")`",
            reloads: firewall.reloads
        ) {
            try site.directory.write("", to: go)
            try await part?.waitUntilReady(saying: "reloaded", within: .seconds(120))
        }
        await remove(part)
        return result
    }

    private func install(_ firewall: Firewall, reloads: Int) async throws -> Part? {
        try await site.output(in: .router, ["nft", "flush", "ruleset"])
        if firewall == .none { return nil }
        if let count = firewall.exceptions {
            try await load(exceptions: count)
            return nil
        }
        let script = site.directory.path + "/rival.sh"
        try site.directory.write(Self.script, to: script)
        _ = try await site.output(in: .router, ["rm", "-f", site.directory.path + "/go"])
        let part = try await site.startBackground(
            in: .router, name: firewall.rawValue,
            ["sh", script, firewall.rawValue, site.directory.path + "/go", "\(reloads)"])
        try await part.waitUntilReady(saying: "installed", within: .seconds(60))
        return part
    }

    private func remove(_ part: Part?) async {
        await part?.stop()
        _ = try? await site.run(in: .router, ["nft", "flush", "ruleset"])
    }

    private func load(exceptions count: Int) async throws {
        let others = (1..<count).map { number in
            Self.exception(
                "10.\(66 + number / 65_536).\(number / 256 % 256).\(number % 256)", "tcp/502")
        }
        let stream = Self.exception("10.1.0.66", "udp/\(StreamTally.allowedPort)")
        // A file may have 1 MiB.
        let folder = site.directory.configuration + "/rival"
        _ = try await site.output(in: .router, ["rm", "-rf", "/etc/drawbridge/rival"])
        try Directory.make(folder + "/conf.d")
        try site.directory.write(
            try Site.shippedConfiguration() + stream, to: folder + "/main.toml")
        for first in stride(from: 0, to: others.count, by: 4000) {
            try site.directory.write(
                others[first..<min(first + 4000, others.count)].joined(),
                to: folder + "/conf.d/\(10 + first / 4000).toml")
        }
        let rules = try await site.output(
            in: .router,
            [
                site.programs.daemon, "firewall", "show", "--config",
                "/etc/drawbridge/rival/main.toml",
            ], timeout: .seconds(60))
        try site.directory.write(rules, to: site.directory.configuration + "/rival.nft")
        try await site.output(
            in: .router, ["nft", "-f", "/etc/drawbridge/rival.nft"], timeout: .seconds(60))
    }

    private static func exception(_ source: String, _ port: String) -> String {
        """

        [[firewall.allow]]
        comment = "bench"
        from = "wan"
        to = "lan"
        source = "\(source)"
        destination = "192.168.140.10"
        port = "\(port)"
        let-the-wan-in = true

        """
    }

    /// Installs a rival with copies of its folders, in mounts of this process alone. Arguments: which one, the file
    /// to wait for, how often to reload then.
    private static let script = """
        set -eu
        name=$1 go=$2 reloads=$3
        base=/run/rival-$name
        rm -rf "$base"
        mkdir -p "$base" /run/dbus
        own() { mkdir -p "$base/$2"; cp -a "$1/." "$base/$2"; mount --bind "$base/$2" "$1"; }
        own /etc/ufw ufw; own /etc/default default; own /etc/firewalld firewalld; own /lib/ufw lib
        ends=:
        trap 'eval "$ends"; exit 0' TERM
        case $name in
        ufw)
            ufw default deny routed
            ufw route allow in on eth0 out on br-lan proto udp from 10.1.0.66 to 192.168.140.10 port 5000
            ufw --force enable
            again() { ufw reload; }
            ;;
        firewalld)
            dbus-daemon --system --nofork --nopidfile &
            ends="kill $!"
            sleep 0.5
            firewalld --nofork --nopid &
            ends="kill $!; sleep 0.5; $ends"
            tries=0
            until firewall-cmd --state; do tries=$((tries+1)); [ $tries -lt 100 ]; sleep 0.2; done
            policy() { firewall-cmd --permanent --policy bench "$@"; }
            firewall-cmd --permanent --zone=external --remove-masquerade
            firewall-cmd --permanent --zone=external --change-interface=eth0
            firewall-cmd --permanent --zone=internal --change-interface=br-lan
            firewall-cmd --permanent --new-policy bench
            policy --add-ingress-zone external
            policy --add-egress-zone internal
            policy --set-target DROP
            policy --add-rich-rule 'rule family="ipv4" source address="10.1.0.66" destination address="192.168.140.10" port port="5000" protocol="udp" accept'
            firewall-cmd --reload
            again() { firewall-cmd --reload; }
            ;;
        esac
        echo installed
        while :; do
            if [ "$reloads" -gt 0 ] && [ -e "$go" ]; then
                while [ "$reloads" -gt 0 ]; do again; reloads=$((reloads-1)); done
                echo reloaded
            fi
            sleep 0.1
        done
        """
}
