import ArgumentParser
import Base
import Site

/// `drawbridge-site gate`
struct GateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gate",
        abstract: "Measure how long packets pass after remote access is cut, as rows of a table.")

    @Option(help: "How often each way is tried.")
    var count = 200

    @Option(help: "Only the ways that begin with this text.")
    var only = ""

    func validate() throws {
        guard (1...10_000).contains(count) else { throw ValidationError("--count is 1…10000") }
    }

    func run() async throws {
        let (count, only) = (count, only)
        var options = SiteOptions()
        options.keep = .onFailure
        let chosen = options
        let finished = try await Interruption.cancelling {
            try await Site.with(chosen) { site in
                Output.line("| cut by | n | packets/s before | p50 | p99 | max |")
                Output.line("|---|---|---|---|---|---|")
                let ways = GateBench.Way.allCases.filter { $0.rawValue.hasPrefix(only) }
                try await GateBench(site).run(ways, count: count) { result in
                    let figures = [0.5, 0.99, 1].map { Self.figure(result.percentile($0)) }
                    Output.line(
                        "| \(result.way.rawValue) | \(result.delays.count) | "
                            + "\(Figure.count(result.rate)) | \(figures.joined(separator: " | ")) |"
                    )
                }
            }
        }
        guard finished else { throw ExitCode(130) }
    }

    /// Two decimals: the stream's packets are 0.1 ms apart.
    private static func figure(_ duration: Duration) -> String {
        let hundredths = Int((duration.milliseconds * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) ms"
    }
}
