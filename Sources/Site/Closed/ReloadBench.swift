import Base
import Glibc
import Linux

/// Exchanges the router's rules again and again while packets come that neither nor both of them allow, and counts
/// what crosses. No daemon runs, so nothing but the rules holds anything back.
package struct ReloadBench: Sendable {
    /// A way to exchange rules.
    package enum Way: String, CaseIterable, Sendable {
        case drawbridge = "drawbridge: the rules exchanged, table and base chains kept"
        case recreate = "the table deleted and added in one transaction"
        case flush = "`flush ruleset`, then the rules"
    }

    private let site: Site

    package init(_ site: Site) { self.site = site }

    /// Reloads `count` times in a way.
    package func run(_ way: Way, count: Int) async throws -> StreamTally.Result {
        let files = try await rules(way)
        try await site.output(in: .router, ["nft", "-f", files[0]])
        let once = files.map { "nft -f \($0)" }.joined(separator: " && ")
        let rounds = (count + 1) / 2
        return try await StreamTally(site).watch(way.rawValue, reloads: rounds * 2) {
            try await site.output(
                in: .router,
                [
                    "sh", "-ec",
                    "i=0; while [ $i -lt \(rounds) ]; do \(once); i=$((i+1)); done",
                ], timeout: .seconds(60 + count))
        }
    }

    /// Two rulesets that differ, as files in the router: what the daemon would load, but for the way.
    private func rules(_ way: Way) async throws -> [String] {
        let exception = """

            [[firewall.allow]]
            comment = "the stream"
            from = "wan"
            to = "lan"
            source = "10.1.0.66"
            destination = "192.168.140.10"
            port = "udp/\(StreamTally.allowedPort)"
            let-the-wan-in = true

            """
        let other = exception.replacing("udp/\(StreamTally.allowedPort)", with: "tcp/502")
            .replacing("the stream", with: "another")
        let base = try Site.shippedConfiguration()
        var files: [String] = []
        for (name, text) in [("a", base + exception), ("b", base + exception + other)] {
            let config = site.directory.configuration + "/\(name).reload"
            try site.directory.write(text, to: config)
            let shown = try await site.output(
                in: .router,
                [
                    site.programs.daemon, "firewall", "show", "--config",
                    "/etc/drawbridge/\(name).reload",
                ])
            let prefix =
                switch way {
                case .drawbridge: ""
                case .recreate: "add table inet drawbridge\ndelete table inet drawbridge\n"
                case .flush: "flush ruleset\n"
                }
            // As usual: what no rule allows, the chain's policy drops.
            let rules = way == .drawbridge ? shown : Self.withoutLastDrops(shown)
            try site.directory.write(
                prefix + rules, to: site.directory.configuration + "/\(name)-\(way).nft")
            files.append("/etc/drawbridge/\(name)-\(way).nft")
        }
        return files
    }

    private static func withoutLastDrops(_ rules: String) -> String {
        rules.split(separator: "\n").filter { line in
            // What is noted first is dropped all the same.
            let drops = line.hasSuffix(" drop") || line.contains(" goto refused_")
            return !drops || line.contains("policy")
        }
        .joined(separator: "\n") + "\n"
    }
}
