import ArgumentParser
import Base
import Configuration
import Console
import Glibc
import Linux
import Settings

/// `drawbridge apply FILE`
struct ApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Bring a changed config file into force, on trial where it could cut us off.",
        discussion:
            "Checks it, shows what it changes, asks, puts it in the config file's place, and waits for the "
            + "outcome: kept, or rolled back and why; then the file before is put back, too. "
            + "Exit status: 0 kept or nothing to change, 1 refused or rolled back, 2 misused.")

    @Argument(help: "The changed config file.")
    var file: String

    @Flag(help: "Do not ask: for scripts.")
    var yes = false

    @Option(help: "The config file.")
    var config = Drawbridge.defaultConfig

    @Option(help: "The daemon's control socket.")
    var socket = "/run/drawbridge/control.sock"

    func run() async throws {
        do {
            try await apply()
        } catch let error as ConsoleError {
            Terminal.error.print("\(error); nothing was changed")
            throw ExitCode(1)
        } catch let error as SystemError {
            Terminal.error.print("\(error)")
            throw ExitCode(1)
        }
    }

    private func apply() async throws {
        let candidate = try CandidateConfiguration(file: file, inPlaceOf: config)
        let place = ConfigurationPlace(file: config, socket: socket)
        var running = try await RunningConfiguration(socket: socket)
        guard Set(candidate.sources) != Set(running.sources) else {
            Terminal.output.print("nothing changes: this is what runs")
            return
        }
        Terminal.output.write(try ConfigurationPlan(from: running.sources, to: candidate).text())
        guard try isWanted() else {
            Terminal.output.print("nothing was changed")
            throw ExitCode(1)
        }
        let before = try place.main(of: running)
        // What is on trial is not to be returned to.
        if running.answer.trialSeconds == nil, let aligned = try await place.align(with: running) {
            Terminal.output.print(
                "\(config) was not what is in force: that was put back there first")
            running = aligned
        }
        let installed = candidate.sources[0].bytes
        try ConfigurationHistory.install(installed, as: config)
        let watch = ConfigurationOutcome.Watch(socket: socket, of: candidate)
        let outcome = await watch.wait(after: running.answer.reads) { seconds in
            Terminal.output.print(
                "on trial for \(seconds) s more: kept once the cloud session works over it, or "
                    + "somebody says `drawbridge confirm`")
        }
        switch outcome {
        case .kept(let number, let wasOnTrial):
            let which = number.map { "config \($0)" } ?? "the new config"
            let why = wasOnTrial ? "confirmed over the new rules" : "it needed no trial"
            Terminal.output.print("kept: \(which) is in force; \(why)")
        case .refused(let lines, let wasOnTrial):
            // Unless somebody else has written it meanwhile.
            let isOurs = (try? SmallFile.read(config)) == installed
            if isOurs { try await place.putBack(before) }
            Terminal.error.print(wasOnTrial ? "rolled back:" : "refused:")
            for line in lines { Terminal.error.print(line) }
            Terminal.error.print(
                isOurs
                    ? "\(config) holds what is in force" : "\(config) was changed by somebody else")
            throw ExitCode(1)
        case .unknown(let reason):
            Terminal.error.print(
                "outcome unknown: \(reason). \(config) holds the new file; a trial that nobody confirms "
                    + "ends by itself, see `drawbridge status`")
            throw ExitCode(1)
        }
    }

    private func isWanted() throws -> Bool {
        if yes { return true }
        guard isatty(0) == 1 else {
            Terminal.error.print("not a terminal: say --yes to apply it without being asked")
            throw ExitCode(2)
        }
        Terminal.output.write("Apply this? [y/N] ")
        return ["y", "yes"].contains((readLine() ?? "").lowercased())
    }
}
