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

    @Option(help: "Seconds to wait for another stick that is at work.")
    var queue = 300

    @Option(help: "The device it was read from, such as sda1; none: surely a stick's.")
    var device: String?

    func validate() throws {
        guard (1...600).contains(patience) else { throw ValidationError("--patience: 1 to 600") }
        guard (1...600).contains(queue) else { throw ValidationError("--queue: 1 to 600") }
    }

    /// Who put it there, for the event log.
    private static let stranger = "USB stick"

    private var file: ConfigurationPlace {
        ConfigurationPlace(
            file: place.config, socket: socket, patience: .seconds(Int64(patience)))
    }

    func run() async throws {
        // Whatever comes of it: nothing of a stick stays in memory.
        defer { StickFiles.remove(bundle) }
        do {
            try Directory.make(ConfigurationHistory.folder(of: place.record))
            let lock = try await lock()
            try await apply()
            _ = consume lock
        } catch LockFile.Failure.held {
            try await refuse(
                "refused, nothing was changed: another stick was at work for \(queue) s: put this one in "
                    + "again when it is done", by: Self.stranger)
        } catch let code as ExitCode {
            throw code
        } catch {
            Terminal.error.print("\(error)")
            throw ExitCode(1)
        }
    }

    /// One stick after the other: the partitions of one come at the same moment.
    private func lock() async throws -> LockFile {
        let clock = SystemClock()
        let deadline = clock.now() + .seconds(Int64(queue))
        while clock.now() < deadline {
            if let lock = try? LockFile(place.record + ".lock") { return lock }
            try await clock.sleep(until: clock.now() + .milliseconds(500))
        }
        return try LockFile(place.record + ".lock")
    }

    private func apply() async throws {
        let accepted: StickJudge.Accepted
        let candidate: CandidateConfiguration
        do throws(StickRefusal) {
            accepted = try place.judge().judge(StickFiles.bundle(bundle))
        } catch {
            if error.isNothingForUs, let why = device.flatMap({ StickDisk($0)?.whyNoStick }) {
                // The disk that the router itself starts from, at each boot.
                Terminal.output.print("ignored, for \(why): \(error)")
                return
            }
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
        let running: RunningConfiguration?
        do {
            running = try await settled(who)
        } catch {
            return try await refuse("\(which): refused, nothing was changed: \(error)", by: who)
        }
        if let running, Set(running.sources) == Set(candidate.sources) {
            try note(accepted)
            return await tell("\(which): this is what runs, nothing was changed", by: who)
        }
        let before = try running.map(file.main)
        let laidThere = (try? SmallFile.read(place.config)) == accepted.file.bytes
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
            if isOurs {
                do {
                    try await file.putBack(before)
                } catch {
                    Terminal.error.print("\(place.config) may hold it still: \(error)")
                }
            }
            for line in lines { Terminal.error.print(line) }
            let what = wasOnTrial ? "rolled back" : "refused"
            try await refuse("\(which): \(what): \(StickRefusal.mistakes(lines))", by: who)
        case .unknown(let reason) where running == nil && laidThere:
            // Perhaps as what was not confirmed: then the next start does not take it.
            try await refuse(
                "\(which): lies in its place already, but no daemon runs (\(reason)): put the stick in again when "
                    + "it does", by: who)
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

    /// What runs for good, which the config file then holds, too; nil when no daemon answers for a while.
    private func settled(_ who: String) async throws -> RunningConfiguration? {
        guard var running = await file.running() else { return nil }
        if let seconds = running.answer.trialSeconds {
            throw StickRefusal.onTrial(seconds: seconds)
        }
        if let aligned = try await file.align(with: running) {
            await tell(
                "\(place.config) was not what is in force, such as a change that was not confirmed: what is "
                    + "in force was put back there first", by: who)
            running = aligned
        }
        // Such as a part in conf.d that was looked at only now.
        if let seconds = running.answer.trialSeconds {
            throw StickRefusal.onTrial(seconds: seconds)
        }
        return running
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
