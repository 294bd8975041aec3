import Base
import Linux
import Logging
import Settings

/// A change that could cut us off comes into force for a time, and stays when it has proven itself.
extension ConfigurationService {
    /// The reason why a file is not taken up that was taken back before.
    var notConfirmed: String {
        "\(file): not confirmed: no cloud session worked over it in its time, so the one before runs again; "
            + "change the file to try again"
    }

    /// The reason why the state may not move meanwhile: what is confirmed and what is not lies there, and a start looks
    /// for it in the folder that the file names.
    func moved(_ candidate: Candidate, from folder: String) -> String {
        let place = ConfigurationChange.place(of: "device.state", in: candidate.sources)
        return SettingsProblem(
            place ?? Position(file: file), key: "device.state",
            "\"\(candidate.settings.device.stateDirectory)\": the daemon that runs keeps its state in "
                + "\"\(folder)\"; put that back, for the next start takes the file as it lies; "
                + "or stop the service, change it, start it"
        ).description
    }

    func apply(_ candidate: Candidate) async {
        guard let house else { return }
        let before = trial
        var duration = house.trial(from: confirmed.settings, to: candidate.settings)
        // Taking a trial back by hand is no change to be tried.
        if candidate.sources == confirmed.sources { duration = nil }
        if duration != nil { markUnconfirmed(candidate) }
        let begun = clock.now()
        do {
            let applied = try await house.apply(candidate.settings, onTrialFor: duration)
            guard let ends = applied.trialEnds else {
                return await settle(candidate, applied.touched)
            }
            trials += 1
            isConfirmationAsked = false
            trial = Trial(
                number: trials, candidate: candidate, touched: applied.touched, begun: begun,
                ends: ends)
            state.refused = []
            state.touched = applied.touched
            state.trialEnds = ends
            logger.notice(
                "config on trial",
                metadata: ["for": "\(DurationText.format(duration ?? .zero))"])
            await news(.onTrial(for: duration ?? .zero))
        } catch {
            if let before {
                markUnconfirmed(before.candidate)
            } else if unconfirmed.isEmpty {
                history.forgetUnconfirmed()
            }
            await refuse(["\(file): cannot be applied: \(error)"])
        }
    }

    /// Before it is in force: whoever starts after us must know that it was not confirmed.
    private func markUnconfirmed(_ candidate: Candidate) {
        do {
            try history.keepUnconfirmed(candidate.sources, of: file)
        } catch {
            logger.warning(
                "trial not noted: a start during it would take the new config",
                metadata: ["error": "\(error)"])
        }
    }

    /// Confirms what has proven itself, and takes back what has not in its time.
    func judgeTrial() async {
        guard let trial, let house else { return }
        if clock.now() >= trial.ends { return await takeBack(trial) }
        let isAsked = isConfirmationAsked
        guard isAsked else {
            if await house.hasProvenItself() { await confirm(trial, by: "the cloud session") }
            return
        }
        await confirm(trial, by: "drawbridge confirm")
    }

    private func confirm(_ trial: Trial, by whom: Logger.MetadataValue) async {
        do {
            try await house?.confirm()
            logger.notice("config confirmed", metadata: ["by": whom])
            await settle(trial.candidate, trial.touched)
        } catch {
            // Its time is over, or the kernel refuses: the end of the trial decides.
            logger.warning("config cannot be confirmed", metadata: ["error": "\(error)"])
        }
        isConfirmationAsked = false
    }

    private func takeBack(_ trial: Trial) async {
        guard let house else { return }
        do {
            let applied = try await house.apply(confirmed.settings, onTrialFor: nil)
            self.trial = nil
            unconfirmed = history.named(trial.candidate.sources, of: file)
            let number = state.number
            state = ConfigurationStatus(file: file, number: number, since: clock.now())
            state.touched = applied.touched
            await refuse([notConfirmed])
        } catch {
            logger.error(
                "config on trial cannot be taken back, trying again",
                metadata: ["error": "\(error)"])
            self.trial?.ends = clock.now() + Limits.retry
        }
    }

    /// Makes permanent what is on trial, for a person on site; returns what to tell them.
    package func confirm() async throws -> String {
        guard let asked = trial?.number else { throw ConfirmationError.nothingOnTrial }
        isConfirmationAsked = true
        while trial?.number == asked, isConfirmationAsked {
            try await clock.sleep(until: clock.now() + Limits.look / 2)
        }
        guard trial == nil, state.refused.isEmpty else {
            throw ConfirmationError.tooLate(
                reason: state.refused.first ?? "another config is on trial by now")
        }
        return "confirmed: config \(state.number.map(String.init) ?? "") is in force for good"
    }
}
