import ArgumentParser
import Glibc
import Settings

/// `drawbridge check [FILE]`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a config file: prints every error with its file, line and column.")

    @Argument(help: "The config file.")
    var file = Drawbridge.defaultConfig

    func run() throws {
        do {
            let settings = try Settings.load(file: file)
            Terminal.output.print("\(file): fine")
            Terminal.output.print(settings.summary.joined(separator: "\n"))
        } catch {
            for line in error.lines { Terminal.error.print(line) }
            throw ExitCode(1)
        }
    }
}
