import ArgumentParser
import Base
import Glibc
import Site
import Synchronization

/// `drawbridge-site reload`
struct ReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Exchange the rules under a flood, and count what leaks and what is lost.")

    @Option(help: "How often the rules are exchanged.")
    var count = 1500

    @Option(help: "How often in the other ways, which leak.")
    var others = 300

    func validate() throws {
        guard (2...100_000).contains(count), (2...100_000).contains(others) else {
            throw ValidationError("--count and --others are 2…100000")
        }
    }

    func run() async throws {
        let (count, others) = (count, others)
        let finished = try await Interruption.cancelling {
            try await Site.with { site in
                Output.line(
                    "| rules exchanged by | times | for | denied packets a second | leaked | allowed packets | lost |"
                )
                Output.line("|---|---|---|---|---|---|---|")
                for way in ReloadBench.Way.allCases {
                    Output.row(
                        try await ReloadBench(site).run(
                            way, count: way == .drawbridge ? count : others))
                }
            }
        }
        guard finished else { throw ExitCode(130) }
    }
}

/// `drawbridge-site blast`
struct BlastCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "blast",
        abstract:
            "Send one datagram again and again from the site's office host to the machine, until SIGTERM.",
        discussion: "Only for a namespace of the emulated site. Prints how many were sent.")

    @Option(help: "The router's hardware address.")
    var router: String

    @Option(help: "UDP port, here and there.")
    var port: UInt16

    @Option(help: "Datagrams a second; 0: as many as this machine can send.")
    var rate = 0

    @Option(help: "End after so many; 0: only at SIGTERM.")
    var count = 0

    private static let isOver = Atomic<Bool>(false)

    func run() throws {
        guard let mac = MACAddress(router), let own = IPv4Address("10.1.0.66"),
            let target = IPv4Address("192.168.140.10"), rate >= 0
        else { throw ValidationError("--router is a hardware address, --rate not negative") }
        signal(SIGTERM) { _ in BlastCommand.isOver.store(true, ordering: .relaxed) }
        let count = count
        let (sent, time) = try Blast.run(
            interface: "eth0", router: mac.bytes, from: own, to: target, port: port, rate: rate,
            isReady: { Output.line("ready") },
            isOver: { sent in
                Self.isOver.load(ordering: .relaxed) || count > 0 && sent >= count
            })
        Output.line("sent \(sent)")
        Output.line("processor \(time.nanoseconds)")
    }
}
