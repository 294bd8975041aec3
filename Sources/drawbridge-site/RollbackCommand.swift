import ArgumentParser
import Base
import Site

/// `drawbridge-site rollback`
struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Kill the daemon during a trial, and measure when the kernel takes it back.")

    @Option(help: "How often.")
    var rounds = 20

    @Option(help: "The same seed kills at the same moments.")
    var seed: UInt64 = 1

    func validate() throws {
        guard (1...1000).contains(rounds) else { throw ValidationError("--rounds is 1…1000") }
    }

    func run() async throws {
        let (rounds, seed) = (rounds, seed)
        let finished = try await Interruption.cancelling {
            try await Site.with { site in
                Output.line(
                    "| round | daemon killed after | packets that passed | taken back, from the deadline "
                        + "| packets after the next start | told as not confirmed |")
                Output.line("|---|---|---|---|---|---|")
                var number = 0
                try await RollbackBench(site).run(rounds: rounds, seed: seed) { round in
                    number += 1
                    let early = round.deviation < .zero
                    let size = Figure.time(early ? .zero - round.deviation : round.deviation)
                    Output.line(
                        "| \(number) | \(Figure.time(round.killedAfter)) "
                            + "| \(Figure.count(round.packets)) | \(early ? "−" : "+")\(size) "
                            + "| \(round.passedLater) | \(round.isRefused ? "yes" : "NO") |")
                }
            }
        }
        guard finished else { throw ExitCode(130) }
    }
}
