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
        for (kind, count) in findings.kinds { Output.line("kind \(kind) \(count)") }
    }
}
