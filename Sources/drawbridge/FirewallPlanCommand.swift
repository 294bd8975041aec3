import ArgumentParser
import Base
import Configuration
import Console
import Firewall
import FoundationEssentials
import Glibc
import Linux
import Settings

extension FirewallCommand {
    /// `drawbridge firewall plan`
    struct Plan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a changed config file would change: in words, and in the rules.",
            discussion:
                "Compared with what the daemon runs; when none answers, with the config file, and it says so. "
                + "Files in conf.d beside the config file count for both. Rules that go begin with -, those "
                + "that come with +. Exits with 0 either way.")

        @Argument(help: "The changed config file.")
        var changed: String

        @Option(help: "The config file in force.")
        var config = Drawbridge.defaultConfig

        @Option(help: "The daemon's control socket.")
        var socket = "/run/drawbridge/control.sock"

        @Flag(help: "Print the plan as JSON.")
        var json = false

        func run() async throws {
            let candidate = try CandidateConfiguration(file: changed, inPlaceOf: config)
            do {
                let plan = try ConfigurationPlan(
                    from: try await running(), to: candidate)
                if json {
                    Terminal.output.write(
                        String(decoding: try ConsoleJSON.encode(plan), as: UTF8.self) + "\n")
                } else {
                    Terminal.output.write(plan.text())
                }
            } catch {
                Terminal.error.print("\(error)")
                throw ExitCode(1)
            }
        }

        private func running() async throws -> [SettingsSource] {
            do {
                return try await RunningConfiguration(socket: socket).sources
            } catch let error as ConsoleError {
                Terminal.error.print("\(error); compared with \(config) instead")
                return try SettingsFiles.sources(main: config)
            }
        }
    }
}

/// A config file that is to take the place of the one in force, with the parts in `conf.d` beside that.
struct CandidateConfiguration {
    let settings: Settings
    /// Under the names that they will have.
    let sources: [SettingsSource]

    /// Prints every mistake, and ends the command, when it is not right.
    init(file: String, inPlaceOf config: String) throws {
        do throws(SettingsErrors) {
            var parts = try SettingsFiles.sources(main: file, partsOf: config)
            settings = try Settings.parse(parts)
            // Mistakes are told under the name of the file that was given.
            parts[0].name = config
            sources = parts
        } catch {
            for line in error.lines { Terminal.error.print(line) }
            throw ExitCode(1)
        }
    }

    /// The same for a file in memory, whose mistakes are told under its own name.
    init(_ main: SettingsSource, inPlaceOf config: String) throws(SettingsErrors) {
        var parts = try SettingsFiles.sources(main: main, partsOf: config)
        settings = try Settings.parse(parts)
        parts[0].name = config
        sources = parts
    }
}

/// What the daemon runs, and what it last found in its file.
struct RunningConfiguration {
    let sources: [SettingsSource]
    let answer: ConsoleConfig

    init(socket: String) async throws {
        guard let answer = try await ConsoleClient(path: socket).send(.config).config else {
            throw ConsoleError("the daemon's answer holds no config: restart it after an update")
        }
        self.answer = answer
        sources = answer.files.map { SettingsSource(name: $0.name, bytes: Array($0.text.utf8)) }
    }
}

/// The difference between two configs, for `firewall plan` and `apply`.
struct ConfigurationPlan: Codable, Equatable {
    var version = 1
    var opens: [String]
    var closes: [String]
    var becomes: [String]
    var was: [String]
    /// In words: the keys that differ.
    var keys: String
    /// Rules that go (`- …`) and come (`+ …`).
    var rules: [String]
    /// For how long it would be on trial, in words; absent: it would be permanent at once, or refused.
    var trial: String?
    /// Why the daemon that runs would refuse it; absent: it would not.
    var refusal: String?

    init(from old: [SettingsSource], to new: CandidateConfiguration) throws {
        let before = try Settings.parse(old)
        let change = PolicyChange(from: before, to: new.settings)
        (opens, closes) = (change.opens, change.closes)
        (becomes, was) = (change.becomes, change.was)
        keys = ConfigurationChange(from: old, to: new.sources).words
        let now = SystemClock().wall()
        let lines = try [before, new.settings].map { settings in
            let policy = try FirewallPolicy(settings, agents: [geteuid()])
            return Ruleset(for: policy).text(at: now, SystemClock.zone).split(separator: "\n").map {
                String($0.drop { $0 == "\t" })
            }
        }
        rules = lines[1].difference(from: lines[0]).map { change in
            switch change {
            case .remove(_, let line, _): "- \(line)"
            case .insert(_, let line, _): "+ \(line)"
            }
        }
        let (folder, newFolder) = (before.device.stateDirectory, new.settings.device.stateDirectory)
        if folder != newFolder {
            refusal =
                "device.state moves from \(folder) to \(newFolder): only while the service is stopped"
        }
        let time = folder == newFolder ? House.trial(from: before, to: new.settings) : nil
        trial = time.map { DurationText.format($0) }
    }

    var isEmpty: Bool { words.isEmpty && rules.isEmpty && keys == "no key changed" }

    private var words: [String] {
        was.map { "was:     \($0)" } + becomes.map { "becomes: \($0)" }
            + closes.map { "closes:  \($0)" } + opens.map { "opens:   \($0)" }
    }

    /// Lines of each kind that are printed; `--json` has all.
    private static let linesMax = 200

    func text() -> String {
        guard !isEmpty else { return "nothing changes\n" }
        var lines = [keys]
        lines += words.isEmpty ? ["who may reach whom stays as it is"] : Self.clipped(words)
        if !rules.isEmpty { lines += ["rules:"] + Self.clipped(rules).map { "  \($0)" } }
        lines.append(
            refusal.map { "refused while the daemon runs: \($0)" }
                ?? trial.map { "on trial for \($0): taken back by itself unless it proves itself" }
                ?? "permanent at once: it cannot cut the cloud session off, or [firewall] trial is 0s"
        )
        return lines.joined(separator: "\n") + "\n"
    }

    private static func clipped(_ lines: [String]) -> [String] {
        guard lines.count > linesMax else { return lines }
        return lines.prefix(linesMax) + ["and \(lines.count - linesMax) more (see --json)"]
    }
}
