import ArgumentParser
import Base
import Configuration
import Glibc
import Linux
import Settings

/// `drawbridge config …`
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "The last good config files: look, compare, bring back.",
        subcommands: [History.self, Diff.self, Restore.self])

    struct Place: ParsableArguments {
        @Option(help: "The config file.")
        var config = Drawbridge.defaultConfig

        @Option(help: "The daemon's state directory.")
        var state = "/var/lib/drawbridge"

        var history: ConfigurationHistory { ConfigurationHistory(stateDirectory: state) }

        /// The number that is meant; the newest when none is given.
        func number(_ number: Int?) throws -> Int {
            guard let number = number ?? history.entries().last?.number else {
                throw SystemError("find a config in \(state)/config", code: ENOENT)
            }
            return number
        }
    }

    /// `drawbridge config history`
    struct History: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the configs that were in force, the newest last.")

        @OptionGroup var place: Place

        func run() throws {
            let entries = place.history.entries()
            for entry in entries {
                var time = time_t(entry.at.milliseconds / 1000)
                var parts = tm()
                localtime_r(&time, &parts)
                var text = [CChar](repeating: 0, count: 64)
                let length = strftime(&text, text.count, "%Y-%m-%d %H:%M:%S", &parts)
                let bytes = text.prefix(length).map { UInt8(bitPattern: $0) }
                let mark = entry == entries.last ? "  newest" : ""
                Terminal.output.print(
                    "\(entry.number)  \(String(decoding: bytes, as: UTF8.self))\(mark)")
            }
            if !place.history.unconfirmed().isEmpty {
                Terminal.output.print(
                    "-  not confirmed: on trial, or taken back (see `drawbridge status`)")
            }
        }
    }

    /// `drawbridge config diff [NUMBER]`
    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what the file says otherwise than a config that was in force.")

        @OptionGroup var place: Place

        @Argument(help: "Which one; the newest when none is given.")
        var number: Int?

        func run() async throws {
            do {
                let number = try place.number(number)
                // No link, pipe or device is shown to root: the history is the daemon's.
                _ = try place.history.files(number)
                let old = place.history.folder(number)
                let new = ConfigurationHistory.folder(of: place.config)
                let names = Set(
                    ConfigurationHistory.tomlNames(in: old)
                        + ConfigurationHistory.tomlNames(in: new))
                for name in names.sorted() {
                    let result = try await Command.run([
                        "/usr/bin/diff", "-uN", "--label", "\(name) (config \(number))", "--label",
                        "\(new)/\(name)", "\(old)/\(name)", "\(new)/\(name)",
                    ])
                    Terminal.output.write(result.output)
                    if result.exit == .status(2) { Terminal.error.write(result.error) }
                }
            } catch {
                Terminal.error.print("\(error)")
                throw ExitCode(1)
            }
        }
    }

    /// `drawbridge config restore [NUMBER]`
    struct Restore: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a config that was in force back into the file; the daemon takes it up.")

        @OptionGroup var place: Place

        @Argument(help: "Which one; the newest when none is given.")
        var number: Int?

        func run() throws {
            do {
                let number = try place.number(number)
                try place.history.restore(number, to: place.config)
                Terminal.output.print("config \(number) is in \(place.config) again")
            } catch {
                Terminal.error.print("\(error)")
                throw ExitCode(1)
            }
        }
    }
}
