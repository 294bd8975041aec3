import Base
import Cloud
import Console
import Egress
import Firewall
import Glibc
import KillSwitch
import Linux
import Logging
import Machines
import Recorder
import ServiceLifecycle
import Settings
import Tunnel
import UnixSignals
import Uplinks

/// The house: builds the rooms and passes values from one to the next.
///
///     Machines ── readings ──▶ Recorder ── records ──▶ Cloud
///     KillSwitch ── lease ──▶ Firewall's gate          Egress ── addresses ──▶ Firewall
///          └──── allowed / closed ──▶ Tunnel ◀── names resolved ── Egress
///     Uplinks ── another one carries ──▶ Cloud, Tunnel
///     all ── status ──▶ Console
struct Daemon: Sendable {
    let settings: Settings
    /// Which config file is in force, for the event log.
    let config: Event
    let logs: @Sendable (String) -> Logger

    /// Runs until SIGTERM or SIGINT; throws when it cannot do its duty at all.
    func run() async throws {
        let clock = SystemClock()
        let begun = clock.now()
        let bootID = try SystemClock.bootID()

        // Closed before anything else is begun.
        let firewall = try FirewallService(logger: logs("firewall"))
        let policy = try FirewallPolicy(settings)
        try await firewall.apply(policy)

        let recorder = RecorderKeeperService(
            settings: settings.recorder, clock: clock, logger: logs("recorder"))
        let egress = EgressService(
            dns: settings.dns, allowed: settings.cloud.domains,
            forbidden: [settings.lan.network] + (settings.vpn.map { [$0.network] } ?? []),
            opener: firewall, clock: clock, logger: logs("egress"))
        let uplinks = try UplinksService(
            uplinks: settings.uplinks, clock: clock, logger: logs("uplinks"))
        let machines = MachinesService(
            machines: settings.machines, sink: { try await recorder.append($0) }, clock: clock,
            logger: logs("machines"))
        let cloud = CloudService(
            settings: settings.cloud, device: settings.device.name, machines: settings.machines,
            records: recorder, bootID: bootID, clock: clock, wall: { clock.wall() },
            logger: logs("cloud"))
        let remote = try RemoteAccess(settings, resolve: { try await egress.resolve($0) }, logs)
        let report = StatusReport(
            settings: settings, begun: begun, clock: clock, uplinks: uplinks, firewall: firewall,
            egress: egress, recorder: recorder, machines: machines, cloud: cloud, remote: remote)
        let events = EventLogService(
            store: EventFiles(directory: settings.device.stateDirectory + "/events"),
            boot: "\(bootID)", time: { clock.timestamp() }, logger: logs("events"))
        let watch = StatusWatchService(
            clock: clock, events: events, look: { await report.document() })
        let desk = ConsoleDesk(
            settings: settings, watch: watch,
            doctor: DoctorService(resolve: { try await egress.resolve($0) }))
        let page = settings.page.listen.map {
            PageService(
                address: $0.address, port: $0.port, clock: clock, logger: logs("page"),
                content: { (await watch.document(), await events.latest()) })
        }
        let console = ConsoleServer(
            path: settings.device.runDirectory + "/control.sock",
            handler: { await desk.answer($0) }, logger: logs("console"))

        let online = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

        // In order of trust: the gate is begun first and ended last.
        var rooms = [
            Room("firewall") { try await firewall.keep(policy, clock: clock) }
        ]
        if let remote {
            rooms.append(Room("switch") { await remote.keySwitch.run() })
            rooms.append(Room("tunnel") { try await remote.tunnel.run() })
            rooms.append(Room("switch to tunnel") { await remote.obeySwitch() })
        }
        rooms += [
            Room("egress") { try await egress.run() },
            Room("uplinks") { try await uplinks.run() },
            Room("recorder") { try await recorder.run() },
            Room("machines") { try await machines.run() },
            Room("cloud") {
                // Without a first route the attempt would fail, and the next one wait.
                for await _ in online.stream { break }
                try await cloud.run()
            },
            Room("uplinks to cloud and tunnel") {
                for await _ in uplinks.events.prefix(1) { online.continuation.yield() }
                for await _ in uplinks.events {
                    await cloud.reconnect()
                    await remote?.tunnel.uplinkChanged()
                }
            },
            Room("console") { try await console.run() },
            Room("status and events") { try await watch.run() },
            Room("ready") {
                try? Notify().send(.ready)
                await events.record([
                    Event(.start, "version \(Drawbridge.version), process \(getpid())"), config,
                ])
                logs("daemon").notice(
                    "ready", metadata: ["after_ms": "\(Int((clock.now() - begun).milliseconds))"])
                try await gracefulShutdown()
            },
        ]
        if let page { rooms.append(Room("page") { try await page.run() }) }
        try await ServiceGroup(
            configuration: .init(
                services: rooms.map { .init(service: $0) },
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logs("daemon"))
        ).run()
        try? Notify().send(.stopping)
        await events.record([Event(.stop, "in good order")])
        logs("daemon").notice("stopped")
    }
}

/// A room's work as a service: it goes on until the group is told to end, which is a normal end.
struct Room: Service {
    private let name: String
    private let body: @Sendable () async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.body = body
    }

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await body() }
        } catch is CancellationError {
            return
        } catch {
            throw RoomFailure(room: name, cause: "\(error)")
        }
    }
}

/// A room that cannot go on: the daemon ends, and what is closed stays closed.
struct RoomFailure: Error, CustomStringConvertible {
    let room: String
    let cause: String

    var description: String { "\(room): \(cause)" }
}
