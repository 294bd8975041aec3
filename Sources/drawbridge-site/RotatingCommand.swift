import ArgumentParser
import Base
import Site

/// `drawbridge-site rotating`
struct RotatingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotating",
        abstract:
            "Move the cloud every 5 seconds under live connections, and count those that were cut.")

    @Option(help: "For how long.")
    var seconds = 300

    func validate() throws {
        guard (1...86_400).contains(seconds) else { throw ValidationError("--seconds is 1…86400") }
    }

    func run() async throws {
        let seconds = seconds
        let finished = try await Interruption.cancelling {
            try await Site.with { site in
                let result = try await RotatingCloud(site).run(for: .seconds(seconds))
                Output.line(
                    "| for | addresses | live sessions | cut | short TLS connections | failed |")
                Output.line("|---|---|---|---|---|---|")
                Output.line(
                    "| \(seconds) s | \(result.addresses) | \(result.sessions) | \(result.cut) "
                        + "| \(Figure.count(result.short)) | \(result.failed) |")
            }
        }
        guard finished else { throw ExitCode(130) }
    }
}
