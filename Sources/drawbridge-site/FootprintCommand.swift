import ArgumentParser
import Base
import Site

/// `drawbridge-site footprint`
struct FootprintCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "footprint",
        abstract: "Measure what the daemon needs in a working site, as rows of a table.")

    @Option(help: "The daemon's binary. (default: that beside this program)")
    var daemon: String?

    @Option(help: "How long it works before it is measured.")
    var minutes = 10

    @Option(help: "How often it is started.")
    var starts = 9

    func validate() throws {
        guard (1...120).contains(minutes), (1...99).contains(starts) else {
            throw ValidationError("--minutes takes 1 to 120, --starts 1 to 99")
        }
    }

    func run() async throws {
        var options = SiteOptions()
        var programs = try Programs.besideThisExecutable()
        if let daemon { programs.daemon = daemon }
        options.programs = programs
        let (chosen, starts, period) = (options, starts, Duration.seconds(60 * minutes))
        let finished = try await Interruption.cancelling {
            try await Site.with(chosen) { site in
                let print = try await site.measureFootprint(starts: starts, period: period)
                let ran = DurationText.format(.seconds(Int64(print.ran.inSeconds)))
                for row in [
                    "start to `READY=1`, median of \(starts) | \(Figure.time(print.medianStart))",
                    "memory (RSS) after \(ran) in the site | \(print.resident)",
                    "of it the process's own (anonymous) | \(print.anonymous)",
                    "processor time while it works | \(Figure.time(.seconds(1) * print.processorShare)) a second",
                    "records in the cloud by then | \(Figure.count(print.recordsDelivered))",
                ] {
                    Output.line("| \(row) |")
                }
            }
        }
        guard finished else { throw ExitCode(130) }
    }
}
