import Base
import Cloud
import Configuration
import Firewall
import Linux
import Settings
import Synchronization

/// A change of the config is on trial: the firewall's part in the kernel, the rest here.
extension House {
    /// What the cloud session depends on: a mistake in it would cut us off.
    struct WayToTheCloud: Equatable, Sendable {
        var policy: FirewallPolicy?
        var session: Session

        /// What only the next session would notice.
        struct Session: Equatable, Sendable {
            var egress: EgressPart
            var uplinks: UplinksPart
            var cloud: Settings.Cloud
            var device: String
            /// Where the key cuts the uplinks: nil where it does not.
            var keySwitch: Settings.KeySwitch?
        }

        init(_ settings: Settings) {
            policy = try? FirewallPolicy(settings, agents: [])
            session = Session(
                egress: EgressPart(settings), uplinks: UplinksPart(settings),
                cloud: settings.cloud, device: settings.device.name,
                keySwitch: settings.keySwitch.flatMap { $0.disables == .wan ? $0 : nil })
        }
    }

    /// A trial's proof.
    struct Proof: Sendable {
        var begun: Instant
        /// Records that the broker has confirmed, and those on their way, when it began: one more is a proof.
        var records: UInt64
        /// Only a new session proves the names, ports, routes and keys that it begins with.
        var needsNewSession: Bool
        /// Whether the rules changed, too; then the kernel has the last word on whether there is still time.
        var triesRules: Bool
    }

    func trial(from old: Settings, to new: Settings) -> Duration? {
        Self.trial(from: old, to: new)
    }

    /// How long the change must be on trial; nil: it cannot cut the cloud session off.
    static func trial(from old: Settings, to new: Settings) -> Duration? {
        let time = new.firewall.trial
        return time > .zero && WayToTheCloud(old) != WayToTheCloud(new) ? time : nil
    }

    func apply(_ wanted: Settings, onTrialFor time: Duration?) async throws -> AppliedConfiguration
    {
        let needsNewSession =
            WayToTheCloud(settings).session != WayToTheCloud(wanted).session
        let begun = clock.now()
        let touched = try await rebuild(for: wanted, onTrialFor: time)
        guard let time else {
            proof.withLock { $0 = nil }
            return AppliedConfiguration(touched: touched)
        }
        let tried = await firewall.trialEnds
        let session = await cloud.tenant.status()
        proof.withLock {
            $0 = Proof(
                begun: tried.map { $0 - time } ?? begun,
                records: session.delivered + UInt64(session.inFlight),
                needsNewSession: needsNewSession, triesRules: tried != nil)
        }
        if needsNewSession, !touched.contains("cloud") { await cloud.tenant.reconnect() }
        return AppliedConfiguration(touched: touched, trialEnds: tried ?? begun + time)
    }

    func hasProvenItself() async -> Bool {
        guard let proof = proof.withLock({ $0 }) else { return false }
        let session = await cloud.tenant.status()
        guard session.isConnected else { return false }
        return session.since > proof.begun
            || !proof.needsNewSession && session.delivered > proof.records
    }

    func confirm() async throws {
        if proof.withLock({ $0?.triesRules ?? false }) { try await firewall.confirm() }
        proof.withLock { $0 = nil }
    }
}

/// The house and its side doors, which a config file changes together.
struct WholeHouse: ConfiguredHouse {
    let house: House
    let page: PageDoor
    let push: PushDoor
    let health: HealthDoor
    let subscribe: SubscribeDoor
    let syslog: SyslogDoor
    let bulk: BulkDoor

    func trial(from old: Settings, to new: Settings) -> Duration? {
        house.trial(from: old, to: new)
    }

    func apply(_ wanted: Settings, onTrialFor time: Duration?) async throws -> AppliedConfiguration
    {
        var applied = try await house.apply(wanted, onTrialFor: time)
        applied.touched += await page.rebuild(for: wanted.page)
        applied.touched += await push.rebuild(for: wanted.push)
        applied.touched += await subscribe.rebuild(for: wanted)
        applied.touched += await syslog.rebuild(for: wanted)
        applied.touched += await health.rebuild(for: wanted.health)
        applied.touched += await bulk.rebuild(for: wanted)
        return applied
    }

    func hasProvenItself() async -> Bool { await house.hasProvenItself() }
    func confirm() async throws { try await house.confirm() }
}
