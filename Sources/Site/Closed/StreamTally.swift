import Base
import Linux

/// Two streams from the office host to the machine, one that the rules allow and one that they do not, counted where
/// they arrive by the machine's kernel.
package struct StreamTally: Sendable {
    package struct Result: Sendable {
        package var way: String
        package var reloads: Int
        package var duration: Duration
        package var deniedSent: Int
        /// A second, over the whole time.
        package var deniedRate: Int
        package var leaked: Int
        /// Allowed packets that came in at the router, and those of them that did not go out.
        package var allowed: Int
        package var lost: Int
    }

    static let allowedPort: UInt16 = 5000
    static let deniedPort: UInt16 = 5001
    /// Packets a second of the stream that is allowed.
    static let allowedRate = 20_000

    private let site: Site
    private let clock = SystemClock()

    init(_ site: Site) { self.site = site }

    /// Both streams flow while `body` runs.
    func watch(_ way: String, reloads: Int, _ body: () async throws -> Void) async throws -> Result
    {
        try await count()
        try await countAtRouter()
        let allowed = try await blast(Self.allowedPort, "--rate", Self.allowedRate)
        // Two senders: each takes a processor for itself if it can get one.
        let denied = [
            try await blast(Self.deniedPort, "--rate", 0),
            try await blast(Self.deniedPort, "--rate", 0),
        ]
        let flooded = clock.now()
        try await Task.sleep(for: .milliseconds(300))
        let begun = clock.now()
        try await body()
        let duration = clock.now() - begun
        var deniedSent = 0
        for part in denied { deniedSent += try await sent(part) }
        let rate = Int(Double(deniedSent) / (clock.now() - flooded).inSeconds)
        let allowedSent = try await sent(allowed)
        try await Task.sleep(for: .milliseconds(200))
        let arrived = try await arrivals()
        // Queues before and behind the router may overflow on a busy machine, which is no affair of the rules.
        let (came, went) = try await passages() ?? (allowedSent, arrived[0])
        return Result(
            way: way, reloads: reloads, duration: duration, deniedSent: deniedSent,
            deniedRate: rate, leaked: arrived[1], allowed: came, lost: came - went)
    }

    /// Sends `number` allowed packets as fast as can be; returns the processor's time for each, and how many arrived.
    func cost(of number: Int) async throws -> (nanoseconds: Double, arrived: Int) {
        try await count()
        let part = try await blast(Self.allowedPort, "--count", number)
        _ = await part.entry.waitForExit()
        let time = try value("processor", of: part)
        return (Double(time) / Double(number), try await arrivals()[0])
    }

    /// The machine's kernel begins to count.
    private func count() async throws {
        let counters =
            "table inet tally { chain input { type filter hook prerouting priority -300;\n"
            + [Self.allowedPort, Self.deniedPort].map { "udp dport \($0) counter\n" }.joined()
            + "}\n}\n"
        _ = try await site.run(in: .plc, ["nft", "delete", "table", "inet", "tally"])
        try await site.output(in: .plc, ["nft", "-f", "-"], input: counters)
    }

    /// The router counts the allowed packets before all rules and behind them.
    private func countAtRouter() async throws {
        let hooks = [("came", "prerouting priority -350"), ("went", "postrouting priority 350")]
        let chains = hooks.map { name, hook in
            "chain \(name) { type filter hook \(hook);\nudp dport \(Self.allowedPort) counter\n}\n"
        }
        _ = try await site.run(in: .router, ["nft", "delete", "table", "inet", "passages"])
        try await site.output(
            in: .router, ["nft", "-f", "-"],
            input: "table inet passages {\n\(chains.joined())}\n")
    }

    /// nil: whoever exchanged the rules threw the counters away, too.
    private func passages() async throws -> (came: Int, went: Int)? {
        let table = try await site.run(in: .router, ["nft", "list", "table", "inet", "passages"])
        let counts = table.output.matches(of: /counter packets (\d+)/).compactMap { Int($0.1) }
        return counts.count == 2 ? (counts[0], counts[1]) : nil
    }

    private func blast(_ port: UInt16, _ option: String, _ value: Int) async throws -> Part {
        let router = try await site.hardwareAddress(of: "eth0")
        let part = try await site.startBackground(
            in: .office, name: "blast",
            [
                site.programs.site, "blast", "--router", router, "--port", "\(port)", option,
                "\(value)",
            ])
        try await part.waitUntilReady(saying: "ready", within: .seconds(10))
        return part
    }

    private func sent(_ part: Part) async throws -> Int {
        await part.stop()
        return try value("sent", of: part)
    }

    /// The number behind a word in a program's log.
    private func value(_ word: String, of part: Part) throws -> Int {
        let log = try SmallFile.readText(site.directory.log(part.name))
        guard let line = log.split(separator: "\n").first(where: { $0.hasPrefix(word + " ") }),
            let value = Int(line.dropFirst(word.count + 1))
        else { throw SiteError("\(part.name) did not say `\(word)`: \(log)") }
        return value
    }

    /// Allowed and denied packets that reached the machine.
    private func arrivals() async throws -> [Int] {
        let text = try await site.output(in: .plc, ["nft", "list", "table", "inet", "tally"])
        let counts = text.matches(of: /counter packets (\d+)/).compactMap { Int($0.1) }
        guard counts.count == 2 else { throw SiteError("the machine does not count: \(text)") }
        return counts
    }
}
