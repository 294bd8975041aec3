import ArgumentParser
import Base
import Site

/// `drawbridge-site closed`
struct ClosedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "closed",
        abstract: "Fuzz the router of an emulated site in each state, as rows of a table.")

    @Option(help: "Frames from either side in each state.")
    var count = 125_000

    @Option(help: "The seed of the first state.")
    var seed: UInt64 = 1

    func run() async throws {
        let (count, seed) = (count, seed)
        let finished = try await Interruption.cancelling {
            try await Site.with(.asOnARouter) { site in try await Self.play(site, count, seed) }
        }
        guard finished else { throw ExitCode(130) }
    }

    private static func play(_ site: Site, _ count: Int, _ seed: UInt64) async throws {
        row("no daemon, no rules (the watchers see)", try await site.fuzz(count: 1000, seed: seed))
        try await site.loadBootRules()
        row(
            "before the daemon starts: the boot unit's rules",
            try await site.fuzz(count: count, seed: seed + 2))
        try await site.startDaemon(config: Site.shippedConfiguration())
        try await site.waitForRules()
        row("the daemon runs", try await site.fuzz(count: count, seed: seed + 4))
        row(
            "the daemon is killed and started again, 10 times",
            try await site.fuzz(count: count, seed: seed + 6) {
                for _ in 0..<10 {
                    try await site.killDaemon()
                    try await site.startDaemon()
                    try await Task.sleep(for: .milliseconds(500))
                }
            })
        try await site.killDaemon()
        row("the daemon is dead", try await site.fuzz(count: count, seed: seed + 8))
        try await site.output(in: .router, ["nft", "flush", "ruleset"])
        row(
            "the daemon is dead and nftables flushed",
            try await site.fuzz(count: count, seed: seed + 10))
    }

    static func row(_ state: String, _ round: FuzzRound) {
        let kinds = round.kinds.sorted { $0.key < $1.key }.map {
            "\($0.key): \(Figure.count($0.value))"
        }
        Output.line(
            "| \(state) | \(Figure.count(round.sent)) | \(Figure.count(round.arrived)) "
                + "| \(Figure.count(round.crossed)) | \(Figure.count(round.answered)) "
                + "| \(kinds.joined(separator: ", ")) |")
    }
}

extension SiteOptions {
    /// The daemon has a user of its own: what the second line keeps still is the superuser's.
    fileprivate static var asOnARouter: SiteOptions {
        var options = SiteOptions()
        options.daemonUser = 990
        return options
    }
}

/// `drawbridge-site scan`
struct ScanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan",
        abstract:
            "Scan all TCP and UDP ports of the router from the office host, as rows of a table.")

    func run() async throws {
        let finished = try await Interruption.cancelling {
            try await Site.with(.asOnARouter) { site in try await Self.play(site) }
        }
        guard finished else { throw ExitCode(130) }
    }

    private static func play(_ site: Site) async throws {
        ClosedCommand.row("no daemon, no rules (the watcher sees)", try await site.scan())
        try await site.startDaemon(config: Site.shippedConfiguration())
        try await site.waitForRules()
        ClosedCommand.row("the daemon runs", try await site.scan())
        try await site.killDaemon()
        ClosedCommand.row("the daemon is dead", try await site.scan())
        try await site.output(in: .router, ["nft", "flush", "ruleset"])
        ClosedCommand.row("the daemon is dead and nftables flushed", try await site.scan())
    }
}

/// `drawbridge-site sweep`
struct SweepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Send a packet to each TCP and UDP port of the site's router.",
        discussion: "Only for a namespace of the emulated site. Prints how many were sent.")

    @Option(help: "The router's hardware address.")
    var router: String

    func run() throws {
        guard let mac = MACAddress(router), let own = IPv4Address("10.1.0.66"),
            let target = IPv4Address("10.1.0.2")
        else { throw ValidationError("--router is a hardware address") }
        Output.line(
            "sent \(try PortSweep.run(interface: "eth0", router: mac.bytes, from: own, to: target))"
        )
    }
}
