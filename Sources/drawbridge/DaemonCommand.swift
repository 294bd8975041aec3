import ArgumentParser
import Base
import Configuration
import Console
import Firewall
import Glibc
import Linux
import Logging
import Settings

/// `drawbridge daemon`
struct DaemonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "daemon",
        abstract:
            "Run the router: closes this machine's network to everything the config file does not allow."
    )

    @Option(help: "The config file.")
    var config = Drawbridge.defaultConfig

    @Flag(name: .shortAndLong, help: "Log everything that happens, not only what changes.")
    var verbose = false

    func run() async throws {
        ProcessMemory.beFrugal()
        umask(0o027)
        // Until somebody listens: a reload that is asked for early must not end us.
        signal(SIGHUP, SIG_IGN)
        let level: Logger.Level = verbose ? .debug : .notice
        let logs: @Sendable (String) -> Logger = { room in
            Logger(label: room) { JournalLog(label: $0, level: level) }
        }
        let settings: Settings
        let sources: [SettingsSource]
        let fallback: Int?
        do {
            let start = try ConfigurationHistory.start(file: config)
            (settings, sources) = (start.settings, start.sources)
            fallback = start.fallback
        } catch {
            for line in error.lines { Terminal.error.print(line) }
            await failClosed(logs)
            throw ExitCode(1)
        }
        do {
            try Directory.make(settings.device.stateDirectory)
            try Directory.make(settings.device.runDirectory)
            let lock = try LockFile(settings.device.stateDirectory + "/lock")
            let daemon = Daemon(
                file: config, settings: settings, sources: sources, config: configEvent(fallback),
                logs: logs)
            // It waits for most of its life: one thread is enough, and the fewest wake-ups.
            try await withTaskExecutorPreference(Reactor.shared) { try await daemon.run() }
            _ = consume lock
        } catch LockFile.Failure.held(let path, let processID) {
            // The firewall is the other one's affair.
            let failure = LockFile.Failure.held(path: path, processID: processID)
            Terminal.error.print("drawbridge: \(failure)")
            throw ExitCode(1)
        } catch {
            Terminal.error.print("drawbridge: \(error)")
            await failClosed(logs)
            throw ExitCode(1)
        }
    }

    /// Says which file is in force: by its hash, since the file may be another one tomorrow.
    private func configEvent(_ fallback: Int?) -> Event {
        if let fallback {
            return Event(
                .config, who: "config file",
                "\(config) was not confirmed before this start: config \(fallback) is in force")
        }
        let bytes = (try? SmallFile.read(config)) ?? []
        return Event(
            .config, who: "config file",
            "\(config) is in force, SHA-256 \(SHA256.hex(bytes).prefix(16))")
    }

    /// The daemon cannot run: nothing passes until it does, unless good rules are already in force.
    private func failClosed(_ logs: @Sendable (String) -> Logger) async {
        do {
            let isClosed = try await FirewallService(logger: logs("firewall")).closeUnlessStanding()
            Terminal.error.print(
                isClosed
                    ? "drawbridge: not running; the firewall is closed to everything until this is put right"
                    : "drawbridge: not running; the firewall's last good rules stay in force")
        } catch {
            Terminal.error.print(
                "drawbridge: not running; and the firewall cannot be closed: \(error)")
        }
    }
}
