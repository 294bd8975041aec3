import Base
import Linux
import Logging
import Settings

// What probes may take of a metered uplink, and how often it is probed for that.
extension UplinksService {
    /// What is known of the month's use.
    struct Use {
        var ledger = ProbeLedger()
        /// It says more than the file.
        var isNew = false
        /// Since when no uplink is up; nil: one is.
        var nobodyUpSince: Instant?
        var isUnwritable = false
        /// When a probe of each uplink was last sent or answered.
        var probedAt: [Int: Instant] = [:]
        /// How long a silence of an uplink's traffic must last to be worth a burst, and when the last one was.
        var silences: [Int: (length: Duration, at: Instant)] = [:]
    }

    /// Replies to its traffic within this time prove an uplink alive better than a probe would.
    static let proofAge = Duration.seconds(5)
    /// Replies that are counted so soon after a probe may be its own answer: two looks at the traffic are no further apart.
    static let ownAnswer = TrafficWatch.restPeriod + TrafficWatch.period

    /// So long the second silence must last, and so long that is remembered.
    private static let silenceMin = Duration.seconds(1)
    private static let silenceAge = Duration.seconds(3600)

    /// Counts what its probes have taken, and sets how far apart the next ones are.
    func pace(_ number: Int) {
        spent(prober.takeBytes(on: number), on: number)
        guard let pace = probePace(number) else { return }
        uplinks[number].monitor.pace = pace.interval(
            role(of: number, isSpent: pace.used >= pace.budget))
    }

    /// nil: it has no budget.
    private func probePace(_ number: Int) -> ProbePace? {
        guard let budget = uplinks[number].budget else { return nil }
        let settings = uplinks[number].settings
        let (month, part) = month
        return ProbePace(
            usual: settings.keepAlive.interval, budget: budget.bytes,
            used: use.ledger.used(by: settings.name, in: month),
            probe: TargetProber.bytes(settings),
            month: part)
    }

    private var month: (ProbeLedger.Month?, MonthPart) {
        let wall = account.wall()
        guard wall >= .clockIsRightFrom else { return (nil, .unknown) }
        let time = CivilTime(wall)
        return (ProbeLedger.Month(time), MonthPart(time))
    }

    private func role(of number: Int, isSpent: Bool) -> ProbePace.Role {
        let (uplink, now) = (uplinks[number], clock.now())
        guard uplink.monitor.standing == .up else {
            // A modem that connects again and again must not buy a quick start each time with what is not there.
            let linkedAt = isSpent ? .boot : uplink.monitor.linkedAt
            var silence = now - max(uplink.monitor.since, linkedAt)
            if let since = use.nobodyUpSince { silence = min(silence, now - since) }
            return .silent(max(.zero, silence))
        }
        if uplink.poorness != nil { return .poor }
        guard selector.carrying == number else { return .standby }
        let notBefore = max(
            now - Self.proofAge, (use.probedAt[number] ?? .boot) + Self.ownAnswer)
        return .carrying(isProven: uplink.monitor.trafficHeardAt.map { $0 > notBefore } ?? false)
    }

    /// Among what nobody answers, such as a camera's stream, each pause between two answers looks like a silent line. With a
    /// budget a silence that probes alone have ended makes the next one wait: it must last twice as long to be looked
    /// into, up to the time between two regular probes.
    func mayLookIntoSilence(_ number: Int, since: Instant) -> Bool {
        knownSilence(of: number).map { clock.now() - since >= $0 } ?? true
    }

    func lookedIntoSilence(_ number: Int) {
        guard uplinks[number].budget != nil else { return }
        let longest = max(uplinks[number].monitor.pace, uplinks[number].settings.keepAlive.interval)
        let next = min(longest, knownSilence(of: number).map { $0 * 2 } ?? Self.silenceMin)
        use.silences[number] = (next, clock.now())
    }

    private func knownSilence(of number: Int) -> Duration? {
        use.silences[number].flatMap { clock.now() - $0.at < Self.silenceAge ? $0.length : nil }
    }

    /// To be called before the paces are set.
    func noteWhetherAnyIsUp() {
        let isAnyUp = uplinks.contains { $0.monitor.standing == .up }
        use.nobodyUpSince = isAnyUp ? nil : use.nobodyUpSince ?? clock.now()
    }

    /// Whether its budget allows the many probes of a closer look.
    func mayLookCloser(_ number: Int) -> Bool { probePace(number)?.allowsCloserLook ?? true }

    /// Nothing is left of this month's budget.
    func isBudgetSpent(_ number: Int) -> Bool {
        probePace(number).map { $0.used >= $0.budget } ?? false
    }

    func spent(_ bytes: Int, on number: Int) {
        guard bytes > 0, uplinks[number].budget != nil else { return }
        use.probedAt[number] = clock.now()
        use.ledger.add(bytes, to: uplinks[number].settings.name, in: month.0)
        use.isNew = true
    }

    /// For the status; nil: it has no budget.
    func budgetStatus(_ number: Int) -> UplinksStatus.Budget? {
        probePace(number).map {
            UplinksStatus.Budget(
                bytes: $0.budget, used: $0.used,
                interval: max($0.usual, uplinks[number].monitor.pace))
        }
    }
}

// The account over a restart.
extension UplinksService {
    /// Runs `body` with what an earlier life has counted, and keeps the count: now and then, and at the end.
    func withAccount(_ body: () async throws -> Void) async throws {
        var kept = await account.read()
        // A drill may have been given up just before this.
        kept.add(use.ledger)
        use.ledger = kept
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.keepNowAndThen() }
                try await body()
                group.cancelAll()
            }
        } catch {
            await keepAccount()
            throw error
        }
        await keepAccount()
    }

    private func keepNowAndThen() async throws {
        while true {
            try await clock.sleep(until: clock.now() + ProbeAccount.keepEvery)
            await keepAccount()
        }
    }

    private func keepAccount() async {
        guard use.isNew else { return }
        use.isNew = false
        let failure = await account.keep(use.ledger)
        if let failure, !use.isUnwritable {
            logger.warning("probe budget is not kept", metadata: ["error": "\(failure)"])
        }
        use.isUnwritable = failure != nil
        // It is tried again with what is added next.
    }
}
