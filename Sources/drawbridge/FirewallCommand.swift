import ArgumentParser
import Firewall
import Glibc
import Linux
import Settings

/// `drawbridge firewall …`
struct FirewallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "firewall", abstract: "What the firewall lets pass.",
        subcommands: [Show.self, Plan.self, Egress.self])

    /// `drawbridge firewall show`
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the ruleset that the daemon applies for a config file, as nft text.")

        @Option(help: "The config file.")
        var config = Drawbridge.defaultConfig

        @Flag(help: "Print the rules that let nothing pass but loopback; no config file is read.")
        var closed = false

        func run() throws {
            if closed {
                Terminal.output.write(Ruleset.denyAll.text())
                return
            }
            do {
                let settings = try Settings.load(file: config)
                Terminal.output.write(
                    Ruleset(for: try FirewallPolicy(settings, agents: [geteuid()])).text(
                        at: SystemClock().wall()))
            } catch {
                Terminal.error.print("\(error)")
                throw ExitCode(1)
            }
        }
    }

    /// `drawbridge firewall plan`
    struct Plan: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a changed config file would change in the ruleset, line by line.",
            discussion:
                "Lines that go begin with -, lines that come with +. Exits with 0 either way.")

        @Argument(help: "The changed config file.")
        var changed: String

        @Option(help: "The config file in force.")
        var config = Drawbridge.defaultConfig

        func run() throws {
            do {
                let (old, new) = (try Self.lines(config), try Self.lines(changed))
                let changes = new.difference(from: old)
                guard !changes.isEmpty else {
                    Terminal.output.print("nothing changes")
                    return
                }
                for change in changes {
                    switch change {
                    case .remove(_, let line, _): Terminal.output.print("- \(line)")
                    case .insert(_, let line, _): Terminal.output.print("+ \(line)")
                    }
                }
            } catch {
                Terminal.error.print("\(error)")
                throw ExitCode(1)
            }
        }

        private static func lines(_ file: String) throws -> [String] {
            let policy = try FirewallPolicy(try Settings.load(file: file), agents: [geteuid()])
            return Ruleset(for: policy).text(at: SystemClock().wall())
                .split(separator: "\n").map { $0.filter { $0 != "\t" } }
        }
    }
}
