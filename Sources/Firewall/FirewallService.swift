package import Base
package import Linux
package import Logging

/// Keeps the firewall in force: loads rules, reads them back, opens cloud addresses.
///
/// It runs on a thread of its own: a netlink call waits while another program's transaction runs.
/// Nothing is taken down when it ends: what is closed stays closed without us.
package actor FirewallService {
    private let executor: ThreadExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    private let table: any FilterTable
    private let forwarding: any Forwarding
    private let logger: Logger
    private let wall: @Sendable () -> WallTime
    private let clock: any MonotonicClock
    private var cloud: CloudSet?
    private var inForce: InForce?
    /// The policy to be kept, and what is on trial instead of it for a time.
    private var wanted: FirewallPolicy?
    private var trial: (policy: FirewallPolicy, until: Instant)?
    private var hits = ExceptionHits()
    private var hitsAt: Instant?
    private var foreignChanges = 0
    /// Whom the kernel named as the one who changed something, while that is put back.
    private var heardOf: String?
    /// Whether what an earlier process had opened is closed.
    private var hasLoaded = false
    /// The addresses that are open were opened for another list of names.
    private var forgetsAddresses = false
    /// Serialises `apply`, which suspends while `nft` runs.
    private var isApplying = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    private struct InForce {
        var ruleset: Ruleset
        var installed: InstalledTable
        /// Wall time minus monotonic time when it was loaded, in ms; nil: the clock was not right.
        var clockOffset: Int64?
    }

    /// Before this the clock cannot be right: a router without a battery wakes up in 1970.
    private static let clockIsRightFrom = WallTime(milliseconds: 1_704_067_200_000)
    /// A step of the clock after which the exceptions' ends are reckoned anew, in ms.
    private static let clockStepMax: Int64 = 2000
    /// Until the next look after one that failed: the kernel breaks off a reading that meets a change.
    private static let retryPause: Duration = .milliseconds(100)
    /// How often the exceptions' counters are looked at.
    private static let hitsInterval: Duration = .seconds(10)

    package init(
        table: any FilterTable, forwarding: any Forwarding,
        wall: @escaping @Sendable () -> WallTime = { SystemClock().wall() },
        clock: any MonotonicClock = SystemClock(), logger: Logger
    ) {
        executor = ThreadExecutor(name: "firewall")
        self.table = table
        self.forwarding = forwarding
        self.wall = wall
        self.clock = clock
        self.logger = logger
    }

    /// The service on the kernel's own packet filter.
    package init(logger: Logger) throws(SystemError) {
        self.init(
            table: try KernelFilterTable(), forwarding: try KernelForwarding(), logger: logger)
    }

    /// Brings a policy into force for good; does nothing when it is, untouched by others.
    ///
    /// Ends a trial. When it throws, the rules before are still in force.
    package func apply(_ policy: FirewallPolicy) async throws {
        try await apply(Ruleset(for: policy), named: "policy")
        try forwarding.set(ForwardingPlan(for: policy))
        wanted = policy
        trial = nil
    }

    /// Lets a policy decide for `duration`, in front of the one in force, which the kernel itself returns to
    /// at the end unless `confirm` comes before: also when nobody is left to ask it to.
    package func tryOut(_ policy: FirewallPolicy, for duration: Duration) async throws {
        guard let wanted else { throw FirewallError.nothingToReturnTo }
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
        if let trial, let wanted {
            try await apply(
                Ruleset(for: wanted).trying(Ruleset(for: trial.policy)), named: "trial",
                trialFor: trial.until - clock.now())
        } else if let wanted {
            try await apply(wanted)
        }
        if clock.now() - (hitsAt ?? clock.now() - Self.hitsInterval) >= Self.hitsInterval {
            try sampleHits()
        }
    }

    private func noteForeignChange() {
        foreignChanges += 1
        logger.warning(
            "security: firewall changed by somebody else, putting it back",
            metadata: ["by": "\(heardOf ?? "unknown")"])
    }

    /// Lets nothing pass but loopback: for a start without a usable config.
    package func denyAll() async throws {
        // First: it needs no `nft`, so it holds also when the rules cannot be loaded.
        try forwarding.set(.closed)
        try await apply(.denyAll, named: "deny-all")
    }

    /// Lets nothing pass but loopback, unless rules of ours already close every hook: those are the last
    /// good ones, and stay.
    ///
    /// Returns whether deny-all is in force now.
    package func closeUnlessStanding() async throws -> Bool {
        let chains = try table.read().chains.values
        let stands = Ruleset.Hook.filters.allSatisfy { hook in
            chains.contains { $0.hook == hook && $0.dropsByDefault && !$0.rules.isEmpty }
        }
        if !stands { try await denyAll() }
        return !stands
    }

    private func apply(
        _ ruleset: Ruleset, named name: Logger.MetadataValue, trialFor duration: Duration? = nil
    ) async throws {
        await enter()
        defer { leave() }
        let now = wall()
        let offset =
            now < Self.clockIsRightFrom
            ? nil : now.milliseconds - clock.now().nanoseconds / 1_000_000
        if let inForce, inForce.ruleset == ruleset, isStillRight(inForce, offset) {
            if try table.read() == inForce.installed { return }
            noteForeignChange()
        }
        // The kernel counts anew what is loaded anew.
        if inForce != nil { try? sampleHits() }
        try await table.load(
            ruleset.text(at: offset == nil ? nil : now)
                + (duration.map { Ruleset.beginningTrial(for: $0) } ?? Ruleset.endingTrial)
                + (!hasLoaded
                    ? Ruleset.forgetOpenings : forgetsAddresses ? Ruleset.forgetAddresses : ""))
        hasLoaded = true
        forgetsAddresses = false
        let installed = try table.read()
        if let deviation = installed.deviation(from: ruleset) {
            inForce = nil
            throw FirewallError.notInForce(deviation: deviation)
        }
        inForce = InForce(ruleset: ruleset, installed: installed, clockOffset: offset)
        hits.restart(keeping: ruleset.exceptions)
        let rules = ruleset.chains.reduce(0) { $0 + $1.rules.count }
        logger.notice("firewall applied", metadata: ["ruleset": name, "rules": "\(rules)"])
    }

    /// Whether the ends of what is open for a time only are where they should be.
    private func isStillRight(_ inForce: InForce, _ offset: Int64?) -> Bool {
        guard
            inForce.ruleset.exceptions.contains(where: { $0.elements.contains { $0.until != nil } })
        else { return true }
        guard let before = inForce.clockOffset, let offset else {
            return inForce.clockOffset == offset
        }
        return abs(before - offset) <= Self.clockStepMax
    }

    private func sampleHits() throws {
        let now = clock.now()
        hitsAt = now
        for set in inForce?.ruleset.exceptions ?? [] {
            hits.note(try table.hits(set), in: set.name, at: now)
        }
    }

    /// Lets the router reach addresses on the cloud ports, from the return of this call until
    /// `duration` has passed; for an address that is open already the time begins anew.
    package func open(_ addresses: [IPv4Address], for duration: Duration) throws {
        if cloud == nil { cloud = try CloudSet() }
        try cloud?.open(addresses, for: duration)
    }

    /// Closes every cloud address that is open; live connections and the gate stay (`docs/behaviour.md` §2.5).
    package func forgetAddresses() async throws {
        forgetsAddresses = true
        inForce = nil
        if let wanted { try await apply(wanted) }
    }

    /// What is in force, what was dropped, and what the exceptions let pass.
    package func status() throws -> FirewallStatus {
        let installed = try table.read()
        try sampleHits()
        let counters = try table.counters()
        let ruleset = inForce?.ruleset
        let exceptions = (ruleset?.exceptions ?? []).flatMap { set in
            set.elements.map { element in
                let hit = hits.hit(element, in: set)
                return FirewallStatus.Exception(
                    number: element.number, packets: hit.packets, bytes: hit.bytes,
                    lastAt: hit.lastAt)
            }
        }
        return FirewallStatus(
            isInForce: inForce.map { $0.installed == installed } ?? false,
            isOpenForLoopbackOnly: ruleset == .denyAll,
            dropped: Ruleset.Counter.allCases.compactMap { counter in
                counters.first { $0.name == counter.rawValue }
            },
            exceptions: exceptions.sorted { $0.number < $1.number },
            forwarded: (ruleset?.forwardCounters ?? []).compactMap { name in
                counters.first { $0.name == name }
            }, foreignChanges: foreignChanges,
            trialEnds: trial.flatMap { $0.until > clock.now() ? $0.until : nil })
    }

    private func enter() async {
        if !isApplying {
            isApplying = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    private func leave() {
        if waiting.isEmpty {
            isApplying = false
        } else {
            waiting.removeFirst().resume()
        }
    }
}
