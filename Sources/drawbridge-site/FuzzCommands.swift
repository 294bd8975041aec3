import ArgumentParser
import Base
import Glibc
import Linux
import Site
import Synchronization

/// `drawbridge-site fuzz`
struct FuzzCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fuzz",
        abstract: "Send frames that no router should let pass or answer.",
        discussion: "Only for a namespace of the emulated site. Prints how many were sent.")

    @Option(help: "The interface to send through.")
    var interface = "eth0"

    @Option(help: "The router's hardware address there.")
    var router: String

    @Option(help: "Where that is: wan or lan.")
    var side: String

    @Option(help: "How many frames.")
    var count = 10_000

    @Option(help: "The same seed sends the same frames.")
    var seed: UInt64 = 1

    func run() throws {
        guard let side = FuzzPackets.Side(rawValue: side), let mac = MACAddress(router) else {
            throw ValidationError("--side is wan or lan, --router a hardware address")
        }
        let wire = try FuzzWire(interface: interface)
        var packets = FuzzPackets(side: side, from: wire.address, to: mac.bytes, seed: seed)
        var sent = 0
        for number in 0..<count {
            let frame = packets.next()
            for _ in 0..<1000 {
                if wire.send(frame) {
                    sent += 1
                    break
                }
                usleep(100)
            }
            // The router's processor has a queue of 1000.
            if number % 64 == 63 { sched_yield() }
        }
        Output.line("sent \(sent)")
    }
}

/// `drawbridge-site fuzz-watch`
struct FuzzWatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fuzz-watch",
        abstract: "Count frames of `fuzz` that crossed, and what the router answers, until SIGTERM."
    )

    @Option(help: "The interface to watch.")
    var interface = "eth0"

    @Option(help: "The router's hardware address there, to count its answers.")
    var router: String?

    @Option(help: "A TCP port that the router may dial here.")
    var expectedPort: UInt16 = 502

    private static let isOver = Atomic<Bool>(false)

    func run() throws {
        signal(SIGTERM) { _ in FuzzWatchCommand.isOver.store(true, ordering: .relaxed) }
        let findings = try FuzzWatch.run(
            interface: interface, router: router.flatMap { MACAddress($0) }?.bytes,
            expectedPort: expectedPort, isReady: { Output.line("watching") },
            isOver: { Self.isOver.load(ordering: .relaxed) })
        Output.line("crossed \(findings.crossed) answered \(findings.answered)")
        if let first = findings.first { Output.line("first \(first)") }
    }
}

/// `drawbridge-site closed`
struct ClosedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "closed",
        abstract: "Fuzz the router of an emulated site in each state, as rows of a table.")

    @Option(help: "Frames from either side in each state.")
    var count = 250_000

    @Option(help: "The seed of the first state.")
    var seed: UInt64 = 1

    func run() async throws {
        let (count, seed) = (count, seed)
        let finished = try await Interruption.cancelling {
            try await Site.with { site in try await Self.play(site, count, seed) }
        }
        guard finished else { throw ExitCode(130) }
    }

    private static func play(_ site: Site, _ count: Int, _ seed: UInt64) async throws {
        row("no daemon, no rules (the watchers see)", try await site.fuzz(count: 1000, seed: seed))
        try await site.startDaemon(config: Site.shippedConfiguration())
        try await site.waitUntil(within: .seconds(15), "the daemon's rules") {
            try await site.run(in: .router, ["nft", "list", "table", "inet", "drawbridge"])
                .exit.isSuccess
        }
        row("the daemon runs", try await site.fuzz(count: count, seed: seed + 2))
        row(
            "the daemon is killed and started again, 10 times",
            try await site.fuzz(count: count, seed: seed + 4) {
                for _ in 0..<10 {
                    try await site.killDaemon()
                    try await site.startDaemon()
                    try await Task.sleep(for: .milliseconds(500))
                }
            })
        try await site.killDaemon()
        row("the daemon is dead", try await site.fuzz(count: count, seed: seed + 6))
        try await site.output(in: .router, ["nft", "flush", "ruleset"])
        row(
            "the daemon is dead and nftables flushed",
            try await site.fuzz(count: count, seed: seed + 8))
    }

    private static func row(_ state: String, _ round: FuzzRound) {
        Output.line(
            "| \(state) | \(round.sent) | \(round.arrived) | \(round.crossed) | \(round.answered) |"
        )
    }
}
