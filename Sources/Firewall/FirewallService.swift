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
    private var cloud: CloudSet?
    private var inForce: (ruleset: Ruleset, installed: InstalledTable)?
    /// Whether what an earlier process had opened is closed.
    private var hasLoaded = false
    /// Serialises `apply`, which suspends while `nft` runs.
    private var isApplying = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    package init(table: any FilterTable, forwarding: any Forwarding, logger: Logger) {
        executor = ThreadExecutor(name: "firewall")
        self.table = table
        self.forwarding = forwarding
        self.logger = logger
    }

    /// The service on the kernel's own packet filter.
    package init(logger: Logger) throws(SystemError) {
        self.init(
            table: try KernelFilterTable(), forwarding: try KernelForwarding(), logger: logger)
    }

    /// Brings a policy into force; does nothing when it is, untouched by others.
    ///
    /// When it throws, the rules before are still in force.
    package func apply(_ policy: FirewallPolicy) async throws {
        try await apply(Ruleset(for: policy), named: "policy")
        try forwarding.set(ForwardingPlan(for: policy))
    }

    /// Keeps a policy in force until it is cancelled: what others changed or flushed is put back.
    package func keep(
        _ policy: FirewallPolicy, lookingEvery interval: Duration = .seconds(1),
        clock: any MonotonicClock
    ) async throws {
        while true {
            try await clock.sleep(until: clock.now() + interval)
            do {
                try await apply(policy)
            } catch {
                logger.error("firewall cannot be kept", metadata: ["error": "\(error)"])
            }
        }
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

    private func apply(_ ruleset: Ruleset, named name: Logger.MetadataValue) async throws {
        await enter()
        defer { leave() }
        if let inForce, inForce.ruleset == ruleset, try table.read() == inForce.installed { return }
        try await table.load(ruleset.text + (hasLoaded ? "" : Ruleset.forgetOpenings))
        hasLoaded = true
        let installed = try table.read()
        if let deviation = installed.deviation(from: ruleset) {
            inForce = nil
            throw FirewallError.notInForce(deviation: deviation)
        }
        inForce = (ruleset, installed)
        let rules = ruleset.chains.reduce(0) { $0 + $1.rules.count }
        logger.notice("firewall applied", metadata: ["ruleset": name, "rules": "\(rules)"])
    }

    /// Lets the router reach addresses on the cloud ports, from the return of this call until
    /// `duration` has passed; for an address that is open already the time begins anew.
    package func open(_ addresses: [IPv4Address], for duration: Duration) throws {
        if cloud == nil { cloud = try CloudSet() }
        try cloud?.open(addresses, for: duration)
    }

    /// Closes every cloud address that is open; live connections stay (`docs/behaviour.md` §2.5).
    package func forgetOpenings() async throws {
        await enter()
        defer { leave() }
        try await table.load(Ruleset.forgetOpenings)
    }

    /// What is in force and what was dropped.
    package func status() throws -> FirewallStatus {
        let installed = try table.read()
        return FirewallStatus(
            isInForce: inForce.map { $0.installed == installed } ?? false,
            isOpenForLoopbackOnly: inForce?.ruleset == .denyAll,
            dropped: try table.counters())
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

/// What the firewall tells of itself.
package struct FirewallStatus: Equatable, Sendable {
    package struct Counter: Equatable, Sendable {
        /// `wan_to_lan` and the like; `docs/behaviour.md` §2.6 lists them.
        package var name: String
        package var packets: UInt64
        package var bytes: UInt64

        package init(name: String, packets: UInt64, bytes: UInt64) {
            self.name = name
            self.packets = packets
            self.bytes = bytes
        }
    }

    /// Whether the kernel holds exactly what was applied last.
    package var isInForce: Bool
    /// Whether that is the deny-all ruleset.
    package var isOpenForLoopbackOnly: Bool
    /// What was dropped since the table exists, in the order of `Ruleset.Counter`.
    package var dropped: [Counter]
}
