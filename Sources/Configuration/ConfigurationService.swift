package import Base
import Linux
package import Logging
package import Settings

/// Watches the config file, brings what is good into force, and refuses the rest.
///
///     file written, SIGHUP ──▶ read and check ──▶ apply ──▶ keep in the history
///                                    └─ refuse: what runs stays, the place is told
package actor ConfigurationService {
    /// Brings settings into force; returns the names of the rooms that were built anew. When it throws,
    /// what was in force still is.
    package typealias Apply = @Sendable (Settings) async throws -> [String]

    package enum Limits {
        /// So long nothing more is written before the file is read: editors write in several steps.
        package static let quiet = Duration.milliseconds(200)
        /// Longest wait for that quiet.
        package static let quietMax = Duration.seconds(5)
        /// Most lines of one refusal in the journal.
        package static let linesMax = 10
    }

    private let executor = ThreadExecutor(name: "configuration")
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    private let file: String
    private let history: ConfigurationHistory
    private let tell: @Sendable (ConfigurationNews) async -> Void
    private let clock: any MonotonicClock
    private let logger: Logger
    private let bell = Doorbell()
    private var running: [SettingsSource]
    private var state: ConfigurationStatus

    /// `running`: the files that the house was built from; `tell` hears what becomes of each later file.
    package init(
        file: String, running: [SettingsSource], history: ConfigurationHistory,
        clock: any MonotonicClock, logger: Logger,
        tell: @escaping @Sendable (ConfigurationNews) async -> Void
    ) {
        self.file = file
        self.running = running
        self.history = history
        self.tell = tell
        self.clock = clock
        self.logger = logger
        state = ConfigurationStatus(file: file, since: clock.now())
    }

    package func status() -> ConfigurationStatus { state }

    /// Reads the file again, also when nothing seems to have changed.
    package nonisolated func reload() { bell.ring() }

    /// Watches until cancelled; `apply` brings what is good into force.
    package func run(apply: @escaping Apply) async throws {
        keep(running)
        let watch = try FolderWatch()
        let folder = ConfigurationHistory.folder(of: file)
        watch.add(folder)
        watch.add(folder + "/conf.d")
        // What was written before the watch began.
        bell.ring()
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { [bell] in
                while true {
                    try await watch.waitForChange()
                    watch.add(folder + "/conf.d")
                    bell.ring()
                }
            }
            while true {
                _ = try await Reactor.shared.wait(for: .readable, on: bell.descriptor)
                try await waitForQuiet()
                await read(apply)
            }
        }
    }

    private func waitForQuiet() async throws {
        let last = clock.now() + Limits.quietMax
        repeat {
            bell.silence()
            try await clock.sleep(until: clock.now() + Limits.quiet)
            let outcome = try await Reactor.shared.wait(
                for: .readable, on: bell.descriptor, until: clock.now())
            if outcome != .ready { return }
        } while clock.now() < last
        bell.silence()
    }

    private func read(_ apply: Apply) async {
        do {
            let found = try Settings.loadWithSources(file: file)
            guard found.sources != running else {
                if !state.refused.isEmpty {
                    logger.notice("config is the running one again")
                    state.refused = []
                    await tell(.withdrawn)
                }
                return
            }
            do {
                let touched = try await apply(found.settings)
                let change = ConfigurationChange(from: running, to: found.sources)
                running = found.sources
                state = ConfigurationStatus(file: file, since: clock.now())
                state.touched = touched
                keep(running)
                logger.notice(
                    "config applied",
                    metadata: [
                        "number": "\(state.number.map(String.init) ?? "not kept")",
                        "rooms": "\(touched.isEmpty ? "none" : touched.joined(separator: ", "))",
                    ])
                await tell(.applied(number: state.number, change: change, touched: touched))
            } catch {
                await refuse(["\(file): cannot be applied: \(error)"])
            }
        } catch {
            await refuse(error.lines)
        }
    }

    private func refuse(_ lines: [String]) async {
        guard lines != state.refused else { return }
        state.refused = lines
        for line in lines.prefix(Limits.linesMax) {
            logger.error(
                "config refused, the one before stays in force", metadata: ["place": "\(line)"])
        }
        await tell(.refused(lines))
    }

    private func keep(_ sources: [SettingsSource]) {
        do {
            state.number = try history.keep(sources, of: file)
        } catch {
            logger.warning("config not kept in the history", metadata: ["error": "\(error)"])
        }
    }
}
