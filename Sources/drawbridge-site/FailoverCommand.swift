import ArgumentParser
import Base
import Site

/// `drawbridge-site failover`
struct FailoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failover",
        abstract: "Break uplinks under a client's stream of 100 datagrams a second, and count.",
        discussion: "Prints rows of a table, as they are measured.")

    @Option(help: "How often each fault is repeated, 1 to 100.")
    var rounds = 20

    @Option(help: "How long each trouble without a failure lasts, in seconds, 10 to 3600.")
    var seconds = 600

    @Option(help: "Only these: silent, cable, trouble.")
    var only: [String] = ["silent", "cable", "trouble"]

    func validate() throws {
        guard (1...100).contains(rounds), (10...3600).contains(seconds) else {
            throw ValidationError("--rounds takes 1 to 100, --seconds 10 to 3600")
        }
    }

    func run() async throws {
        let (rounds, seconds, only) = (rounds, seconds, Set(only))
        let finished = try await Interruption.cancelling {
            try await Site.with { site in
                if only.contains("silent") {
                    for profile in Profile.all {
                        try await Self.failures(site, profile, rounds, "silent") {
                            try await $0.cutSilently(.a)
                        }
                    }
                }
                if only.contains("cable") {
                    try await Self.failures(site, Profile.all[0], rounds, "cable") {
                        try await $0.pullCable(.a)
                    }
                }
                if only.contains("trouble") { try await Self.troubles(site, seconds) }
            }
        }
        guard finished else { throw ExitCode(130) }
    }

    private struct Profile {
        var name: String
        var keepAlive: [String: String]

        static let all = [
            Profile(name: "interval 1 s", keepAlive: [:]),
            Profile(
                name: "interval 2 s",
                keepAlive: ["interval": "\"2s\"", "timeout": "\"1s\"", "successes": "2"]),
            Profile(
                name: "interval 5 s",
                keepAlive: ["interval": "\"5s\"", "timeout": "\"1s\"", "successes": "1"]),
            Profile(
                name: "fast, 250 ms",
                keepAlive: [
                    "interval": "\"250ms\"", "timeout": "\"200ms\"", "confirm": "\"350ms\"",
                ]),
        ]
    }

    private static let hold = Duration.seconds(3)

    private static func failures(
        _ site: Site, _ profile: Profile, _ rounds: Int, _ name: String,
        _ fault: @Sendable (Site) async throws -> Instant
    ) async throws {
        let bench = try await FailoverBench.begin(
            in: site, keepAlive: profile.keepAlive,
            failover: ["hold": "\"3s\"", "hold-max": "\"3s\"", "finish": "\"1s\""])
        var events: [FailoverBench.Event] = []
        for _ in 0..<rounds { events.append(try await bench.round(hold: hold, fault)) }
        try await bench.end()
        func figures(_ values: [Double], _ unit: String) -> String {
            let sorted = values.sorted()
            return "\(text(sorted[sorted.count / 2])) (\(text(sorted[sorted.count - 1]))) \(unit)"
        }
        Output.line(
            "| \(name), \(profile.name) | \(rounds) | "
                + figures(events.map { $0.gap.milliseconds }, "ms") + " | "
                + figures(events.map { Double($0.lost) }, "") + " | "
                + figures(events.compactMap { $0.back?.inSeconds }, "s") + " | "
                + figures(events.map { Double($0.lostBack) }, "") + " |")
    }

    static func text(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return value >= 100 || tenths.isMultiple(of: 10)
            ? "\(Int(value.rounded()))" : "\(tenths / 10).\(tenths % 10)"
    }
}

/// `drawbridge-site echo`
struct EchoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo", abstract: "Send every datagram back to where it came from.")

    @Option(help: "UDP port.")
    var port: UInt16 = 5999

    func run() throws {
        try EchoStream.serve(port: port) { Output.line("listening on port \(port)") }
    }
}

/// `drawbridge-site converse`
struct ConverseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "converse",
        abstract:
            "Send numbered datagrams to `echo` at a steady rate, and note when each came back.",
        discussion: "Prints number, time sent and time back (CLOCK_BOOTTIME, ns) of each.")

    @Option(help: "IPv4 address to send to.")
    var to: String

    @Option(help: "UDP port.")
    var port: UInt16 = 5999

    @Option(help: "Datagrams a second, 1…1000.")
    var rate = 100

    func validate() throws {
        guard IPv4Address(to) != nil else { throw ValidationError("\(to) is no IPv4 address") }
        guard (1...1000).contains(rate) else { throw ValidationError("--rate is 1…1000") }
    }

    func run() throws {
        guard let address = IPv4Address(to) else { return }
        try EchoStream.converse(with: address, port: port, rate: rate) { number, sent, back in
            Output.line("\(number) \(sent.nanoseconds) \(back.nanoseconds)")
        }
    }
}
