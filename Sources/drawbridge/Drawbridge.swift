import ArgumentParser
import Glibc
import Linux

/// The one binary: the daemon and the tools that look at it.
@main
struct Drawbridge: AsyncParsableCommand {
    static let version = "0.1.0"
    static let defaultConfig = "/etc/drawbridge/drawbridge.toml"

    static let configuration = CommandConfiguration(
        commandName: "drawbridge",
        abstract: "Keeps an industrial machine online, closed and recorded.",
        discussion: "Exit status: 0 fine, 1 failed, 2 misused.",
        version: version,
        subcommands: [
            DaemonCommand.self, CheckCommand.self, StatusCommand.self, UplinksCommand.self,
            EventsCommand.self, DoctorCommand.self, SupportBundleCommand.self,
            FirewallCommand.self, LogCommand.self, ConfigCommand.self, ApplyCommand.self,
            ConfirmCommand.self,
            StickCommand.self, SwitchCommand.self, PushCommand.self,
        ])

    static func main() {
        signal(SIGPIPE, SIG_IGN)
        let command: any ParsableCommand
        do {
            command = try parseAsRoot()
        } catch {
            end(error)
        }
        // The daemon's first step, too, is on the thread on which it waits: the pool of threads, once used, wakes each second.
        Task(executorPreference: command is DaemonCommand ? Reactor.shared : nil) {
            do {
                var command = command
                if var asynchronous = command as? any AsyncParsableCommand {
                    try await asynchronous.run()
                } else {
                    try command.run()
                }
                Glibc.exit(0)
            } catch {
                end(error)
            }
        }
        while true { pause() }
    }

    /// ArgumentParser says 64 (`EX_USAGE`) for a misuse; our contract says 2.
    private static func end(_ error: any Error) -> Never {
        if let code = error as? ExitCode { Glibc.exit(code.rawValue) }
        let isHelp = exitCode(for: error) == .success
        let text = fullMessage(for: error)
        if !text.isEmpty { (isHelp ? Terminal.output : Terminal.error).print(text) }
        Glibc.exit(isHelp ? 0 : exitCode(for: error) == .validationFailure ? 2 : 1)
    }
}
