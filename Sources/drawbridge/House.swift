import Base
import Cloud
import Egress
import Firewall
import Linux
import Logging
import Machines
import Recorder
import ServiceLifecycle
import Settings
import Synchronization
import Tunnel
import Uplinks

/// The rooms, each with the part of the settings that it is built from: a change of the config file builds those
/// anew whose part is another one, and only those.
final class House: Sendable {
    let firewall: FirewallService
    /// What the firewall keeps in force; changing it exchanges rules and drops nothing that both allow.
    let policy: Slot<FirewallPolicy, FirewallPolicy>
    let remote: Slot<RemotePart, RemoteAccess?>
    let egress: Slot<EgressPart, EgressService>
    let uplinks: Slot<UplinksPart, UplinksService>
    let recorder: Slot<Settings.Recorder, RecorderKeeperService>
    let machines: Slot<[Settings.Machine], MachinesService>
    let cloud: Slot<CloudPart, CloudService>

    let clock: SystemClock
    private let logs: @Sendable (String) -> Logger
    private let running: Mutex<Settings>
    private let carrier: Carrier
    let ways: WaysOut
    /// The key was turned, a VPN session begun, ended or not to be had, or another uplink carries.
    let news: Bell
    /// What the cloud session must do to prove the change that is on trial.
    let proof = Mutex<Proof?>(nil)

    struct EgressPart: Equatable, Sendable {
        var dns: Settings.DNS
        var allowed: [DomainPattern]
        var forbidden: [CIDR]

        init(_ settings: Settings) {
            dns = settings.dns
            allowed = settings.cloud.domains
            forbidden = [settings.lan.network] + (settings.vpn.map { [$0.network] } ?? [])
        }
    }

    struct UplinksPart: Equatable, Sendable {
        var uplinks: [Settings.Uplink]
        var failover: Settings.Failover
        var lan: String
        var stateDirectory: String

        init(_ settings: Settings) {
            uplinks = settings.uplinks
            lan = settings.lan.interface
            failover = settings.failover
            // Another room's affair.
            failover.drill = nil
            stateDirectory = settings.device.stateDirectory
        }
    }

    struct CloudPart: Equatable, Sendable {
        var cloud: Settings.Cloud
        var device: String
        /// Their tags are in the birth messages.
        var machines: [Settings.Machine]
        /// Another ring, another cursor.
        var recorder: Settings.Recorder

        init(_ settings: Settings) {
            cloud = settings.cloud
            // What may be reached is the affair of others.
            cloud.domains = []
            cloud.ports = []
            device = settings.device.name
            machines = settings.machines
            recorder = settings.recorder
        }
    }

    struct RemotePart: Equatable, Sendable {
        var vpn: Settings.VPN?
        var keySwitch: Settings.KeySwitch?
        var lanInterface: String
        var runDirectory: String
        /// The uplinks' interfaces, if the key cuts them.
        var uplinks: [String]

        init(_ settings: Settings) {
            vpn = settings.vpn
            keySwitch = settings.keySwitch
            lanInterface = settings.lan.interface
            runDirectory = settings.device.runDirectory
            uplinks =
                settings.keySwitch?.disables == .wan ? settings.uplinks.map(\.interface) : []
        }
    }

    /// Closed before anything else is begun: `firewall` has the first policy in force already.
    init(
        _ settings: Settings, firewall: FirewallService, policy first: FirewallPolicy,
        gate: GateLease?,
        logs: @escaping @Sendable (String) -> Logger
    ) throws {
        let clock = SystemClock()
        self.clock = clock
        self.logs = logs
        self.firewall = firewall
        running = Mutex(settings)

        let ways = WaysOut(isCut: settings.keySwitch?.disables == .wan)
        self.ways = ways
        let news = Bell()
        self.news = news

        let own = logs("house")
        policy = Slot("firewall", first, first, logger: own, remake: { $0 }) {
            try await firewall.keep($0, clock: clock)
        }
        egress = Slot(
            "egress", EgressPart(settings),
            Self.makeEgress(EgressPart(settings), firewall, clock, logs), logger: own,
            remake: { Self.makeEgress($0, firewall, clock, logs) }
        ) { try await $0.run() }
        remote = Slot(
            "switch and tunnel", RemotePart(settings),
            try Self.makeRemote(RemotePart(settings), gate, egress, logs), logger: own,
            remake: { [egress] part in
                try Self.makeRemote(
                    part, try RemoteAccess.gate(part, logs("switch")), egress, logs)
            }
        ) { remote in
            if let remote {
                try await remote.run(cutting: ways, telling: news)
            } else {
                ways.open()
                try await Self.untilCancelled()
            }
        }
        recorder = Slot(
            "recorder", settings.recorder,
            RecorderKeeperService(
                settings: settings.recorder, clock: clock, logger: logs("recorder")), logger: own,
            remake: { RecorderKeeperService(settings: $0, clock: clock, logger: logs("recorder")) }
        ) { try await $0.run() }
        machines = Slot(
            "machines", settings.machines,
            Self.makeMachines(settings.machines, recorder, clock, logs), logger: own,
            remake: { [recorder] in Self.makeMachines($0, recorder, clock, logs) }
        ) { try await $0.run() }

        let carrier = Carrier(settings.uplinks)
        self.carrier = carrier
        let cloud = Slot(
            "cloud", CloudPart(settings),
            Self.makeCloud(CloudPart(settings), recorder.tenant, clock, logs), logger: own,
            remake: { [recorder] in Self.makeCloud($0, recorder.tenant, clock, logs) }
        ) {
            try await ways.wait()
            // Without a first route the attempt would fail, and the next one wait.
            await carrier.wait()
            try await $0.run()
        }
        self.cloud = cloud
        uplinks = Slot(
            "uplinks", UplinksPart(settings),
            try Self.makeUplinks(UplinksPart(settings), egress, clock, logs), logger: own,
            remake: { [egress] in try Self.makeUplinks($0, egress, clock, logs) }
        ) { [remote] uplinks in
            try await ways.wait()
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask { try await uplinks.run() }
                for await way in uplinks.events {
                    news.ring()
                    let (isFirst, budget) = carrier.carries(way.name)
                    if let budget { await cloud.tenant.setBacklogBudget(budget) }
                    if isFirst {
                        // The first route of all moves nothing.
                        carrier.begin()
                        continue
                    }
                    await cloud.tenant.reconnect()
                    await remote.tenant?.tunnel?.uplinkChanged()
                }
            }
        }
    }

    /// Bytes a second that old records may take of the uplink that carries; nil: none does.
    var backlogBudget: Int? { carrier.budget }

    /// What runs.
    var settings: Settings { running.withLock { $0 } }

    /// In order of trust: what is begun first is ended last.
    var rooms: [any Service] {
        [policy, remote, egress, uplinks, recorder, machines, cloud]
    }

    /// Ends what needs an uplink whenever the key cuts them; it begins anew when they are open again.
    func obeyCuts() async throws {
        for await _ in ways.cuts {
            carrier.end()
            do {
                try await uplinks.renew()
                try await cloud.renew()
            } catch {
                // They go on as they are, with nowhere to send to.
                logs("house").error("rooms not renewed", metadata: ["error": "\(error)"])
            }
        }
    }

    /// The rooms that have failed and will be begun anew.
    var failures: [RoomFailure] {
        [
            policy.failure, remote.failure, egress.failure, uplinks.failure, recorder.failure,
            machines.failure, cloud.failure,
        ].compactMap { $0 }
    }

    // MARK: another config

    /// Makes the house as other settings want it; returns the names of the rooms that were built anew.
    ///
    /// `time`: for how long the firewall's part is on trial; nil: it is permanent.
    ///
    /// What can fail is done first, and then nothing has changed. `[device]` keeps its folders until the
    /// daemon begins again.
    func rebuild(for wanted: Settings, onTrialFor time: Duration? = nil) async throws -> [String] {
        let old = settings
        var new = wanted
        new.device.stateDirectory = old.device.stateDirectory
        new.device.runDirectory = old.device.runDirectory

        let ways = UplinksPart(new)
        let newUplinks =
            ways == uplinks.part ? nil : try Self.makeUplinks(ways, egress, clock, logs)
        let newRemote: RemoteAccess?? =
            RemotePart(new) == remote.part
            ? nil
            : .some(
                try Self.makeRemote(
                    RemotePart(new), try RemoteAccess.gate(RemotePart(new), logs("switch")), egress,
                    logs))
        let newPolicy = try FirewallPolicy(
            new, agents: policy.part.agents,
            needsGrant: (newRemote ?? remote.tenant)?.gate.holdsGrant ?? false)

        var touched: [String] = []
        let isTrying = await firewall.trialEnds != nil
        if newPolicy != policy.part || isTrying {
            let before = policy.part
            // First: it would put back what it knows.
            await policy.move(newPolicy, newPolicy)
            do {
                if let time {
                    try await firewall.tryOut(newPolicy, for: time)
                } else {
                    try await firewall.apply(newPolicy)
                }
            } catch {
                await policy.move(before, before)
                throw error
            }
            touched.append("firewall")
        }
        if let newRemote {
            await remote.move(RemotePart(new), newRemote)
            touched.append("switch and tunnel")
        }
        let names = EgressPart(new)
        let namesBefore = egress.part
        if names != namesBefore {
            await egress.move(names, Self.makeEgress(names, firewall, clock, logs))
            // What only the old list allowed; what both allow opens again with the next question.
            if names.allowed != namesBefore.allowed || names.forbidden != namesBefore.forbidden {
                do {
                    try await firewall.forgetAddresses()
                } catch {
                    // No way back from here, nor a need for one: what keeps the firewall repeats it within seconds.
                    logs("house").error("addresses not closed yet", metadata: ["error": "\(error)"])
                }
            }
            touched.append("egress")
        }
        if let newUplinks {
            carrier.change(new.uplinks)
            await uplinks.move(ways, newUplinks)
            touched.append("uplinks")
        }
        await rebuildRecording(new, &touched)
        running.withLock { $0 = new }
        return touched
    }

    private func rebuildRecording(_ new: Settings, _ touched: inout [String]) async {
        if new.recorder != recorder.part {
            let next = RecorderKeeperService(
                settings: new.recorder, clock: clock, logger: logs("recorder"))
            await recorder.move(new.recorder, next)
            touched.append("recorder")
        }
        if new.machines != machines.part {
            await machines.move(
                new.machines, Self.makeMachines(new.machines, recorder, clock, logs))
            touched.append("machines")
        }
        let session = CloudPart(new)
        if session != cloud.part {
            let next = Self.makeCloud(session, recorder.tenant, clock, logs)
            if let budget = carrier.budget { await next.setBacklogBudget(budget) }
            await cloud.move(session, next)
            touched.append("cloud")
        }
    }
}
