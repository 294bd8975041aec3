package import Base
import Linux
package import Logging
package import Settings

/// Watches the config file, brings what is good into force, and refuses the rest.
///
///     file written, SIGHUP ──▶ read and check ──▶ apply ──▶ on trial ──▶ confirmed, kept in the history
///                                    │                          └─ not proven in time: back to what was before
///                                    └─ refuse: what runs stays, the place is told
package actor ConfigurationService {
    package enum Limits {
        /// So long nothing more is written before the file is read: editors write in several steps.
        package static let quiet = Duration.milliseconds(200)
        /// Longest wait for that quiet.
        package static let quietMax = Duration.seconds(5)
        /// Most lines of one refusal in the journal.
        package static let linesMax = 10
        /// Between two looks at what is on trial.
        package static let look = Duration.milliseconds(100)
        /// Until the next attempt to take back what could not be taken back.
        package static let retry = Duration.seconds(1)
    }

    private let executor = ThreadExecutor(name: "configuration")
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    let file: String
    let history: ConfigurationHistory
    private let tell: @Sendable (ConfigurationNews) async -> Void
    let clock: any MonotonicClock
    let logger: Logger
    /// What is configured, while it runs.
    var house: (any ConfiguredHouse)?
    private let bell = Doorbell()
    /// What came into force for good last.
    var confirmed: Candidate
    /// What is in force instead for a time.
    var trial: Trial?
    /// What was taken back, with the names of the history: it is not tried again.
    var unconfirmed: Set<SettingsSource> = []
    var isConfirmationAsked = false
    var trials = 0
    private var reads = 0
    var state: ConfigurationStatus

    struct Candidate {
        var settings: Settings
        var sources: [SettingsSource]
    }

    struct Trial {
        var number: Int
        var candidate: Candidate
        var touched: [String]
        var begun: Instant
        var ends: Instant
    }

    /// `running`: the files that the house was built from, and what they say; `tell` hears what becomes of each
    /// later file.
    package init(
        file: String, running: [SettingsSource], settings: Settings, history: ConfigurationHistory,
        clock: any MonotonicClock, logger: Logger,
        tell: @escaping @Sendable (ConfigurationNews) async -> Void
    ) {
        self.file = file
        confirmed = Candidate(settings: settings, sources: running)
        self.history = history
        self.tell = tell
        self.clock = clock
        self.logger = logger
        state = ConfigurationStatus(file: file, since: clock.now())
    }

    package func status() -> ConfigurationStatus { state }

    /// The files that run, on trial or for good, and how often they were looked at where they lie.
    package func running() -> (sources: [SettingsSource], reads: Int, status: ConfigurationStatus) {
        ((trial?.candidate ?? confirmed).sources, reads, state)
    }

    /// Reads the file again, also when nothing seems to have changed.
    package nonisolated func reload() { bell.ring() }

    /// Watches until cancelled; what is good comes into force in `house`.
    package func run(_ house: any ConfiguredHouse) async throws {
        self.house = house
        unconfirmed = history.unconfirmed()
        keep(confirmed.sources)
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
                let look = trial.map { min($0.ends, clock.now() + Limits.look) }
                let outcome = try await Reactor.shared.wait(
                    for: .readable, on: bell.descriptor, until: look)
                if outcome == .ready {
                    try await waitForQuiet()
                    await read()
                }
                await judgeTrial()
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

    private func read() async {
        // Counted when it is known what came of it.
        defer { reads += 1 }
        do {
            let found = try Settings.loadWithSources(file: file)
            let candidate = Candidate(settings: found.settings, sources: found.sources)
            guard found.sources != (trial?.candidate ?? confirmed).sources else {
                // Whoever puts it there once more wants it tried again: a stick that is put in again.
                unconfirmed = []
                if !state.refused.isEmpty {
                    logger.notice("config is the running one again")
                    state.refused = []
                    await tell(.withdrawn)
                }
                return
            }
            guard history.named(found.sources, of: file) != unconfirmed else {
                return await refuse([notConfirmed])
            }
            let folder = confirmed.settings.device.stateDirectory
            guard candidate.settings.device.stateDirectory == folder else {
                return await refuse([moved(candidate, from: folder)])
            }
            await apply(candidate)
        } catch {
            await refuse(error.lines)
        }
    }

    func refuse(_ lines: [String]) async {
        guard lines != state.refused else { return }
        state.refused = lines
        for line in lines.prefix(Limits.linesMax) {
            logger.error(
                "config refused, the one before stays in force", metadata: ["place": "\(line)"])
        }
        await tell(.refused(lines))
    }

    /// A candidate is in force for good.
    func settle(_ candidate: Candidate, _ touched: [String]) async {
        let change = ConfigurationChange(from: confirmed.sources, to: candidate.sources)
        confirmed = candidate
        trial = nil
        unconfirmed = []
        history.forgetUnconfirmed()
        state = ConfigurationStatus(file: file, since: clock.now())
        state.touched = touched
        keep(candidate.sources)
        logger.notice(
            "config applied",
            metadata: [
                "number": "\(state.number.map(String.init) ?? "not kept")",
                "rooms": "\(touched.isEmpty ? "none" : touched.joined(separator: ", "))",
            ])
        await tell(.applied(number: state.number, change: change, touched: touched))
    }

    func news(_ news: ConfigurationNews) async { await tell(news) }

    private func keep(_ sources: [SettingsSource]) {
        do {
            state.number = try history.keep(sources, of: file)
        } catch {
            logger.warning("config not kept in the history", metadata: ["error": "\(error)"])
        }
    }
}
