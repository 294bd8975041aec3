package import Base
import Linux
import Logging

/// What is in force stays so, and what is on trial does not outlast its time.
extension FirewallService {
    /// When the rules on trial end unless they are confirmed; nil: none are.
    package var trialEnds: Instant? { trial.flatMap { $0.until > clock.now() ? $0.until : nil } }

    /// Lets a policy decide for `duration`, in front of the one in force, which the kernel itself returns to
    /// at the end unless `confirm` comes before: also when nobody is left to ask it to. The one in force itself
    /// needs no trial: it ends the one that may be running.
    package func tryOut(_ policy: FirewallPolicy, for duration: Duration) async throws {
        guard let wanted else { throw FirewallError.nothingToReturnTo }
        guard policy != wanted else { return try await apply(policy) }
        // What the second line of either lets pass, the rules judge.
        try forwarding.set(ForwardingPlan(for: policy.joinsLANAndWAN ? policy : wanted))
        let combined = Ruleset(for: wanted).trying(Ruleset(for: policy))
        try await apply(combined, named: "trial", trialFor: duration)
        trial = (policy, clock.now() + duration)
    }

    /// Makes what is on trial permanent; throws when nothing is.
    package func confirm() async throws {
        guard let trial, trial.until > clock.now() else { throw FirewallError.nothingOnTrial }
        try await apply(trial.policy)
        logger.notice("firewall confirmed")
    }

    /// Keeps in force what was applied last, until it is cancelled: what others change or flush is put back at
    /// once, as the kernel tells of it; all is looked at each `interval`, for the second line's sake, of whose
    /// changes it does not tell.
    package func keep(
        _ policy: FirewallPolicy, lookingEvery interval: Duration = .seconds(5),
        clock: any MonotonicClock
    ) async throws {
        if wanted == nil { wanted = policy }
        while true {
            let change = try await table.waitForForeignChange(until: clock.now() + interval)
            do {
                try await putBack(change)
            } catch {
                logger.error("firewall cannot be kept", metadata: ["error": "\(error)"])
                try await clock.sleep(until: clock.now() + Self.retryPause)
            }
        }
    }

    private func putBack(_ change: ForeignChange?) async throws {
        // What was heard then is most likely that; it is looked at again soon.
        guard !isApplying else { return }
        if let trial, trial.until <= clock.now() {
            self.trial = nil
            logger.warning("firewall trial not confirmed: the rules before it are in force again")
        }
        heardOf = change?.by
        defer { heardOf = nil }
        if change?.touchesElements ?? false, inForce != nil {
            noteForeignChange()
            // Elements that others added would stay.
            hasLoaded = false
            inForce = nil
        }
        try await bringBack()
        if clock.now() - (hitsAt ?? clock.now() - Self.hitsInterval) >= Self.hitsInterval {
            try sampleHits()
        }
    }

    /// Makes sure of what is to be in force, a trial that still runs included.
    func bringBack() async throws {
        if let trial, trial.until > clock.now(), let wanted {
            try await apply(
                Ruleset(for: wanted).trying(Ruleset(for: trial.policy)), named: "trial",
                trialFor: trial.until - clock.now())
        } else if let wanted {
            try await apply(wanted)
        }
    }

    func noteForeignChange() {
        stands = false
        foreignChanges += 1
        foreignChangeBy = heardOf
        logger.warning(
            "security: firewall changed by somebody else, putting it back",
            metadata: ["by": "\(heardOf ?? "unknown")"])
    }
}
