import Base
import Console
import Linux
import Settings

/// What became of a config file that was put in its place while the daemon runs.
enum ConfigurationOutcome {
    case kept(number: Int?, wasOnTrial: Bool)
    case refused([String], wasOnTrial: Bool)
    case unknown(String)

    /// Asks the daemon until it is known.
    struct Watch {
        private let socket: String
        private let candidate: CandidateConfiguration

        /// How long the daemon may take to look at the file, and to say what came of a trial that is over.
        private let patience: Duration
        private static let look: Duration = .milliseconds(200)

        init(
            socket: String, of candidate: CandidateConfiguration, patience: Duration = .seconds(30)
        ) {
            self.socket = socket
            self.patience = patience
            self.candidate = candidate
        }

        /// Waits until the daemon has looked at the file (it had `reads` times before) and, if it tries it, until the
        /// trial is over; `onTrial` hears once for how many seconds. A daemon that begins anew meanwhile is waited for:
        /// it goes on with the file if that was confirmed, else with the one before, which ends a trial.
        func wait(after reads: Int, onTrial: (Int) -> Void) async -> ConfigurationOutcome {
            let clock = SystemClock()
            var deadline = clock.now() + patience
            var (seen, latest) = (reads, reads)
            var (isGone, hasBegunAnew) = (false, false)
            var wasOnTrial = false
            var trouble = "the daemon has not looked at the file"
            while clock.now() < deadline {
                try? await clock.sleep(until: clock.now() + Self.look)
                let running: RunningConfiguration
                do {
                    running = try await RunningConfiguration(socket: socket)
                } catch {
                    trouble = "\(error)"
                    isGone = true
                    continue
                }
                if running.answer.reads < latest || isGone && running.answer.reads == latest {
                    // It counts from nothing again.
                    (seen, hasBegunAnew) = (0, true)
                    deadline = max(deadline, clock.now() + patience)
                }
                (latest, isGone) = (running.answer.reads, false)
                guard latest > seen else { continue }
                let isCandidate = Set(running.sources) == Set(candidate.sources)
                if isCandidate, let seconds = running.answer.trialSeconds {
                    if !wasOnTrial {
                        deadline = clock.now() + .seconds(Int64(seconds)) + patience
                        onTrial(seconds)
                    }
                    wasOnTrial = true
                    trouble = "the trial has not ended"
                } else if isCandidate {
                    return .kept(number: running.answer.number, wasOnTrial: wasOnTrial)
                } else if !running.answer.refused.isEmpty {
                    // A start refuses only what was on trial.
                    return .refused(
                        running.answer.refused, wasOnTrial: wasOnTrial || hasBegunAnew)
                }
            }
            return .unknown(trouble)
        }
    }
}
