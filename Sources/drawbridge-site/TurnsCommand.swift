import ArgumentParser
import Base
import Site

/// `drawbridge-site turns`
struct TurnsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "turns",
        abstract: "Inside the test kernel: turn the key with faults by seed, and watch the gate.",
        discussion: "Exit status 1 when the gate was open for too long, or did not open again.")

    @Option(help: "How often the key is turned off and on.")
    var count = 40

    @Option(help: "The same seed, the same turns and faults.")
    var seed: UInt64 = 1

    func validate() throws {
        guard (1...100_000).contains(count) else { throw ValidationError("--count is 1…100000") }
    }

    func run() async throws {
        let programs = try Programs.besideThisExecutable()
        let tallies = try await KernelTurns(daemon: programs.daemon, site: programs.site)
            .run(seed: seed, count: count)
        Output.line(
            "| while the key is turned off | turns | last packet after | allowed | too late |")
        Output.line("|---|---|---|---|---|")
        for fault in KernelTurns.Fault.allCases {
            let tally = tallies[fault] ?? KernelTurns.Tally()
            Output.line(
                "| \(fault.rawValue) | \(tally.turns) | \(Figure.time(tally.worst)) | "
                    + "\(Figure.time(fault.allowed)) | \(tally.tooLate) |")
        }
        guard tallies.values.allSatisfy({ $0.tooLate == 0 }) else { throw ExitCode(1) }
    }
}
