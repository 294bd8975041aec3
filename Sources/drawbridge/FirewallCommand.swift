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
                        at: SystemClock().wall(), SystemClock.zone))
            } catch {
                Terminal.error.print("\(error)")
                throw ExitCode(1)
            }
        }
    }
}
