import ArgumentParser
import Base
import Site

/// `drawbridge-site backlog`
struct BacklogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backlog",
        abstract: "Let a router come back after hours offline, as rows of a table.")

    @Option(help: "The daemon's binary. (default: that beside this program)")
    var daemon: String?

    @Option(help: "Simulated hours offline.")
    var hours = 10

    @Option(help: "How often the link is cut while the backlog is on its way.")
    var cuts = 5

    func validate() throws {
        guard (1...48).contains(hours), (0...20).contains(cuts) else {
            throw ValidationError("--hours takes 1 to 48, --cuts 0 to 20")
        }
    }

    func run() async throws {
        var options = SiteOptions()
        var programs = try Programs.besideThisExecutable()
        if let daemon { programs.daemon = daemon }
        options.programs = programs
        let (chosen, play) = (options, BacklogRun(offline: .seconds(3600 * hours), cuts: cuts))
        let finished = try await Interruption.cancelling {
            try await Site.with(chosen) { site in
                let outcome = try await play.play(in: site)
                for row in Self.rows(outcome) { Output.line("| \(row) |") }
            }
        }
        guard finished else { throw ExitCode(130) }
    }

    private static func rows(_ outcome: BacklogRun.Outcome) -> [String] {
        let until = outcome.untilLive.map { Figure.time($0) }.joined(separator: ", ")
        return [
            "records of the time offline | \(Figure.count(outcome.recorded))",
            "budget beside live data | \(ByteSize(bytes: outcome.bytesPerSecondBudget)) a second",
            "link back → live data in the cloud, first time and after each cut | \(until)",
            "link back → backlog complete, cuts included | \(Figure.time(outcome.took))",
            "live data while it drains, reading → cloud: median | \(Figure.time(outcome.liveMedian))",
            "the same, 99 of 100 | \(Figure.time(outcome.percentile(99)))",
            "the same, worst of \(outcome.liveLatencies.count) | \(Figure.time(outcome.liveWorst))",
            "missing in the cloud | \(outcome.missing)",
            "out of order, live and backlog apart | \(outcome.outOfOrder)",
            "sent twice, and told by their ids | \(outcome.duplicates)",
            "the daemon's memory (RSS), most while it delivers | \(outcome.memory.resident)",
            "the same, most in all its life | \(outcome.memory.everResident)",
            "of it the process's own (anonymous), most while it delivers | \(outcome.memory.anonymous)",
            "of it libraries that only the emulated GPIO chip asks for | \(outcome.memory.emulation)",
            "without those, most in all its life | \(outcome.memory.withoutEmulation)",
        ]
    }
}
