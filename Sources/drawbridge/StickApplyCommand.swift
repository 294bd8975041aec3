import ArgumentParser
import Base
import Configuration
import Console
import Linux
import Settings

/// `drawbridge stick apply`, for drawbridge-stick-apply@.service.
///
///     what the reader has left ──▶ judged ──▶ checked ──▶ put in the config file's place ──▶ trial
///           └── refused: a sentence in the journal and the event log ◀──┴── the file before, again ◀──┘
struct StickApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Put in force what was taken from a stick: for the service.",
        discussion:
            "Takes the newest file that is for this router, signed by a known key, and newer than the last one; then as "
            + "`drawbridge apply` does. Exit status: 0 kept or nothing to change, 1 refused or rolled back."
    )

    @Argument(help: "What `drawbridge stick read` has written.")
    var bundle: String

    @OptionGroup var place: StickCommand.Place

    @Option(help: "The daemon's control socket.")
    var socket = "/run/drawbridge/control.sock"

    @Option(
        help: "Seconds to wait for a daemon that does not answer, or does not look at the file.")
    var patience = 30

    func validate() throws {
        guard (1...600).contains(patience) else { throw ValidationError("--patience: 1 to 600") }
    }

    /// Who put it there, for the event log.
    private static let stranger = "USB stick"

    func run() async throws {
        do {
            try Directory.make(ConfigurationHistory.folder(of: place.record))
            let lock = try LockFile(place.record + ".lock")
            try await apply()
            _ = consume lock
        } catch LockFile.Failure.held {
            Terminal.error.print("another stick is at work: put this one in again when it is done")
            throw ExitCode(1)
        } catch let code as ExitCode {
            throw code
        } catch {
            Terminal.error.print("\(error)")
            throw ExitCode(1)
        }
    }

    private func apply() async throws {
        let accepted: StickJudge.Accepted
        let candidate: CandidateConfiguration
        do throws(StickRefusal) {
            accepted = try place.judge().judge(StickFiles.bundle(bundle))
        } catch {
            return try await refuse("refused, nothing was changed: \(error)", by: Self.stranger)
        }
        let who = "\(Self.stranger), key \(accepted.record.key)"
        let which = "\(accepted.name), sequence \(accepted.file.sequence)"
        guard !accepted.isKnown else {
            return await tell("\(which): put in force already, nothing was changed", by: who)
        }
        do throws(SettingsErrors) {
            candidate = try CandidateConfiguration(
                SettingsSource(name: accepted.name, bytes: accepted.file.bytes),
                inPlaceOf: place.config)
        } catch {
            for line in error.lines { Terminal.error.print(line) }
            let refusal = StickRefusal.mistakes(error.lines)
            return try await refuse("\(which): refused, nothing was changed: \(refusal)", by: who)
        }
        try await install(candidate, accepted, which, who)
    }

    private func install(
        _ candidate: CandidateConfiguration, _ accepted: StickJudge.Accepted, _ which: String,
        _ who: String
    ) async throws {
        let running = await running()
        if let running, Set(running.sources) == Set(candidate.sources) {
            try note(accepted)
            return await tell("\(which): this is what runs, nothing was changed", by: who)
        }
        let before = try? SmallFile.read(place.config)
        await tell("\(which) (SHA-256 \(accepted.file.digest)): being put in force", by: who)
        try ConfigurationHistory.install(accepted.file.bytes, as: place.config)
        let watch = ConfigurationOutcome.Watch(
            socket: socket, of: candidate, patience: .seconds(Int64(patience)))
        // A daemon that begins with it has read it once before it answers.
        let outcome = await watch.wait(after: running?.answer.reads ?? 0) { seconds in
            Terminal.output.print("on trial for \(seconds) s more")
        }
        switch outcome {
        case .kept(let number, let wasOnTrial):
            try note(accepted)
            let why = wasOnTrial ? ", confirmed by the cloud session" : ""
            await tell(
                "\(which): kept, config \(number.map(String.init) ?? "") is in force\(why)", by: who
            )
        case .refused(let lines, let wasOnTrial):
            let isOurs = (try? SmallFile.read(place.config)) == accepted.file.bytes
            if isOurs, let before { try await putBack(before) }
            for line in lines { Terminal.error.print(line) }
            let what = wasOnTrial ? "rolled back" : "refused"
            try await refuse("\(which): \(what): \(StickRefusal.mistakes(lines))", by: who)
        case .unknown(let reason) where running == nil:
            // Nothing ran that could be returned to.
            try note(accepted)
            try await refuse(
                "\(which): lies in its place, but no daemon runs (\(reason)): its next start takes it",
                by: who)
        case .unknown(let reason):
            try await refuse(
                "\(which): outcome unknown: \(reason); a trial that is not confirmed ends by itself",
                by: who)
        }
    }

    /// Returns when the daemon has seen it: only then the stick may be put in again, and is tried again.
    private func putBack(_ before: [UInt8]) async throws {
        let clock = SystemClock()
        let reads = await running()?.answer.reads ?? 0
        try ConfigurationHistory.install(before, as: place.config)
        let deadline = clock.now() + .seconds(Int64(patience))
        while clock.now() < deadline {
            if let now = try? await RunningConfiguration(socket: socket), now.answer.reads > reads {
                return
            }
            try? await clock.sleep(until: clock.now() + .milliseconds(200))
        }
    }

    /// What runs now; nil when no daemon answers for a while.
    private func running() async -> RunningConfiguration? {
        let clock = SystemClock()
        let deadline = clock.now() + .seconds(Int64(patience))
        repeat {
            if let running = try? await RunningConfiguration(socket: socket) { return running }
            try? await clock.sleep(until: clock.now() + .milliseconds(500))
        } while clock.now() < deadline
        return nil
    }

    /// From now on, what is older is refused.
    private func note(_ accepted: StickJudge.Accepted) throws {
        try SmallFile.replace(place.record, with: Array(accepted.record.text.utf8), mode: 0o600)
    }

    private func refuse(_ what: String, by who: String) async throws {
        await tell(what, by: who)
        throw ExitCode(1)
    }

    /// Into the journal, and into the event log if a daemon keeps one.
    private func tell(_ what: String, by who: String) async {
        Terminal.output.print("\(who): \(what)")
        do {
            _ = try await ConsoleClient(path: socket).send(.stick(who: who, what))
        } catch {
            Terminal.error.print("not in the event log: \(error)")
        }
    }
}
