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

    package struct Result: Sendable {
        package var way: Way
        package var reloads: Int
        package var duration: Duration
        package var deniedSent: Int
        /// A second, over the whole time.
        package var deniedRate: Int
        package var leaked: Int
        package var allowedSent: Int
        package var lost: Int
    }

    private static let allowedPort: UInt16 = 5000
    private static let deniedPort: UInt16 = 5001
    /// Packets a second of the stream that both rulesets allow.
    private static let allowedRate = 2000

    private let site: Site
    private let clock = SystemClock()

    package init(_ site: Site) { self.site = site }

    /// Reloads `count` times in a way.
    package func run(_ way: Way, count: Int) async throws -> Result {
        let files = try await rules(way)
        try await load(files[0])
        let counters =
            "table inet tally { chain input { type filter hook prerouting priority -300;\n"
            + [Self.allowedPort, Self.deniedPort].map { "udp dport \($0) counter\n" }.joined()
            + "}\n}\n"
        _ = try await site.run(in: .plc, ["nft", "delete", "table", "inet", "tally"])
        try await site.output(in: .plc, ["nft", "-f", "-"], input: counters)
        let router = try await site.hardwareAddress(of: "eth0")
        let allowed = try await blast(Self.allowedPort, rate: Self.allowedRate, router)
        let denied = try await blast(Self.deniedPort, rate: 0, router)
        let flooded = clock.now()
        try await Task.sleep(for: .milliseconds(300))

        let begun = clock.now()
        let once = files.map { "nft -f \($0)" }.joined(separator: " && ")
        try await site.output(
            in: .router,
            [
                "sh", "-ec",
                "i=0; while [ $i -lt \((count + 1) / 2) ]; do \(once); i=$((i+1)); done",
            ],
            timeout: .seconds(60 + count))
        let duration = clock.now() - begun

        let deniedSent = try await sent(denied)
        let rate = Int(Double(deniedSent) / (clock.now() - flooded).inSeconds)
        let allowedSent = try await sent(allowed)
        try await Task.sleep(for: .milliseconds(200))
        let arrived = try await arrivals()
        return Result(
            way: way, reloads: (count + 1) / 2 * 2, duration: duration, deniedSent: deniedSent,
            deniedRate: rate,
            leaked: arrived[1], allowedSent: allowedSent, lost: allowedSent - arrived[0])
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
            port = "udp/\(Self.allowedPort)"
            let-the-wan-in = true

            """
        let other = exception.replacing("udp/\(Self.allowedPort)", with: "tcp/502")
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
        rules.split(separator: "\n").filter { !$0.hasSuffix(" drop") || $0.contains("policy") }
            .joined(separator: "\n") + "\n"
    }

    private func load(_ file: String) async throws {
        try await site.output(in: .router, ["nft", "-f", file])
    }

    private func blast(_ port: UInt16, rate: Int, _ router: String) async throws -> Part {
        let part = try await site.startBackground(
            in: .office, name: "blast",
            [
                site.programs.site, "blast", "--router", router, "--port", "\(port)", "--rate",
                "\(rate)",
            ])
        try await part.waitUntilReady(saying: "ready", within: .seconds(10))
        return part
    }

    private func sent(_ part: Part) async throws -> Int {
        await part.stop()
        let log = try SmallFile.readText(site.directory.log(part.name))
        guard let line = log.split(separator: "\n").first(where: { $0.hasPrefix("sent ") }),
            let count = Int(line.dropFirst(5))
        else { throw SiteError("\(part.name) did not say how much it sent: \(log)") }
        return count
    }

    /// Allowed and denied packets that reached the machine.
    private func arrivals() async throws -> [Int] {
        let text = try await site.output(in: .plc, ["nft", "list", "table", "inet", "tally"])
        let counts = text.matches(of: /counter packets (\d+)/).compactMap { Int($0.1) }
        guard counts.count == 2 else { throw SiteError("the machine does not count: \(text)") }
        return counts
    }
}
