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

    let table: any FilterTable
    let forwarding: any Forwarding
    let logger: Logger
    private let wall: @Sendable () -> WallTime
    private let zone: WeeklyHours.Zone
    let clock: any MonotonicClock
    private var cloud: CloudSet?
    var inForce: InForce?
    /// Whether the kernel held exactly that when they were compared last.
    var stands = false
    /// The policy to be kept, and what is on trial instead of it for a time.
    var wanted: FirewallPolicy?
    var trial: (policy: FirewallPolicy, until: Instant)?
    var hits = ExceptionHits()
    var hitsAt: Instant?
    var foreignChanges = 0
    var foreignChangeBy: String?
    var signs = AttackSigns()
    /// What was refused lately, when it was read, and what its zone's counters said then.
    var refused: [AttackSigns.Zone: (packets: UInt64, at: Instant, sample: [RefusedPackets])] = [:]
    /// Whether the kernel can note what is refused: found out with the first rules.
    var notesRefused = true
    /// Whom the kernel named as the one who changed something, while that is put back.
    var heardOf: String?
    /// Whether what an earlier process had opened is closed.
    var hasLoaded = false
    /// The addresses that are open were opened for another list of names.
    var forgetsAddresses = false
    /// Serialises `apply`, which suspends while `nft` runs.
    var isApplying = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    struct InForce {
        var ruleset: Ruleset
        var installed: InstalledTable
        /// Wall time minus monotonic time when it was loaded, in ms; nil: the clock was not right.
        var clockOffset: Int64?
        /// When an exception is to be opened, by the hours of the week; nil: none is.
        var opensAt: WallTime?
    }

    /// A step of the clock after which the exceptions' ends are reckoned anew, in ms.
    private static let clockStepMax: Int64 = 2000
    /// Until the next look after one that failed: the kernel breaks off a reading that meets a change.
    static let retryPause: Duration = .milliseconds(100)
    /// How often the exceptions' counters are looked at.
    static let hitsInterval: Duration = .seconds(10)

    package init(
        table: any FilterTable, forwarding: any Forwarding,
        wall: @escaping @Sendable () -> WallTime = { SystemClock().wall() },
        zone: @escaping WeeklyHours.Zone = SystemClock.zone,
        clock: any MonotonicClock = SystemClock(), logger: Logger
    ) {
        executor = ThreadExecutor(name: "firewall")
        self.table = table
        self.forwarding = forwarding
        self.wall = wall
        self.zone = zone
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

    func apply(
        _ wished: Ruleset, named name: Logger.MetadataValue, trialFor duration: Duration? = nil
    ) async throws {
        await enter()
        defer { leave() }
        var ruleset = notesRefused ? wished : wished.withoutNotes
        let now = wall()
        let offset =
            now < .clockIsRightFrom
            ? nil : now.milliseconds - clock.now().nanoseconds / 1_000_000
        if let inForce, inForce.ruleset == ruleset, isStillRight(inForce, offset, now) {
            stands = try table.read() == inForce.installed
            if stands { return }
            noteForeignChange()
        }
        // The kernel counts anew what is loaded anew.
        if inForce != nil { try? sampleHits() }
        let end =
            (duration.map { Ruleset.beginningTrial(for: $0) } ?? Ruleset.endingTrial)
            + (!hasLoaded
                ? Ruleset.forgetOpenings : forgetsAddresses ? Ruleset.forgetAddresses : "")
        do {
            try await table.load(ruleset.text(at: offset == nil ? nil : now, zone) + end)
        } catch {
            // A kernel without what the notes need is no reason to stay without rules.
            guard !hasLoaded, ruleset.notesRefused else { throw error }
            ruleset = wished.withoutNotes
            try await table.load(ruleset.text(at: offset == nil ? nil : now, zone) + end)
            notesRefused = false
            logger.warning(
                "firewall cannot note who is refused", metadata: ["error": "\(error)"])
        }
        hasLoaded = true
        forgetsAddresses = false
        let installed = try table.read()
        if let deviation = installed.deviation(from: ruleset) {
            inForce = nil
            throw FirewallError.notInForce(deviation: deviation)
        }
        inForce = InForce(
            ruleset: ruleset, installed: installed, clockOffset: offset,
            opensAt: offset == nil ? nil : ruleset.opens(after: now, zone))
        stands = true
        hits.restart(keeping: ruleset.exceptions)
        let rules = ruleset.chains.reduce(0) { $0 + $1.rules.count }
        logger.notice("firewall applied", metadata: ["ruleset": name, "rules": "\(rules)"])
    }

    /// Whether the ends of what is open for a time only are where they should be.
    private func isStillRight(_ inForce: InForce, _ offset: Int64?, _ now: WallTime) -> Bool {
        guard inForce.ruleset.exceptions.contains(where: { $0.elements.contains(where: \.isTimed) })
        else { return true }
        // Closing is the kernel's affair, opening is ours.
        if let opensAt = inForce.opensAt, now >= opensAt { return false }
        guard let before = inForce.clockOffset, let offset else {
            return inForce.clockOffset == offset
        }
        return abs(before - offset) <= Self.clockStepMax
    }

    /// Lets the router reach addresses on the cloud ports, from the return of this call until
    /// `duration` has passed; for an address that is open already the time begins anew.
    package func open(_ addresses: [IPv4Address], for duration: Duration) throws {
        if cloud == nil { cloud = try CloudSet() }
        try cloud?.open(addresses, for: duration)
    }

    /// Opens addresses for a check whether an uplink wants a login (`docs/behaviour.md` §4.13).
    package func openForCheck(_ addresses: [IPv4Address], for duration: Duration) throws {
        if cloud == nil { cloud = try CloudSet() }
        try cloud?.open(addresses, for: duration, in: Ruleset.checkSet)
    }

    /// The cloud addresses that are open in the kernel at this moment.
    package func openAddresses() throws -> [OpenAddress] { try table.openAddresses() }

    /// Closes every cloud address that is open; live connections and the gate stay (`docs/behaviour.md` §2.5).
    package func forgetAddresses() async throws {
        forgetsAddresses = true
        inForce = nil
        try await bringBack()
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
