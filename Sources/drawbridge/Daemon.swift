import Base
import Configuration
import Console
import Egress
import Firewall
import Glibc
import Linux
import Logging
import ServiceLifecycle
import Settings
import UnixSignals
import Uplinks

/// The house and what goes around it: its config file, its console, its pulse.
///
///     Machines ── readings ──▶ Recorder ── records ──▶ Cloud
///     KillSwitch ── lease ──▶ Firewall's gate          Egress ── addresses ──▶ Firewall
///          └──── allowed / closed ──▶ Tunnel ◀── names resolved ── Egress
///     Uplinks ── another one carries ──▶ Cloud, Tunnel
///     Configuration ── other settings ──▶ those rooms whose part they change
///     all ── status ──▶ Console, heartbeat ──▶ systemd
struct Daemon: Sendable {
    let file: String
    let settings: Settings
    /// The files that `settings` were read from.
    let sources: [SettingsSource]
    /// Which config file is in force, for the event log.
    let config: Event
    let logs: @Sendable (String) -> Logger

    /// Runs until SIGTERM or SIGINT; throws when it cannot do its duty at all.
    func run() async throws {
        let clock = SystemClock()
        let begun = clock.now()

        // Closed before anything else is begun.
        let firewall = try FirewallService(logger: logs("firewall"))
        let gate = try RemoteAccess.gate(House.RemotePart(settings), logs("switch"))
        // OpenVPN runs as the same user.
        let policy = try FirewallPolicy(
            settings, agents: [geteuid()], needsGrant: gate?.holdsGrant ?? false)
        try await firewall.apply(policy)

        let house = try House(
            settings, firewall: firewall, policy: policy, gate: gate, logs: logs)
        let events = EventLogService(
            store: EventFiles(directory: settings.device.stateDirectory + "/events"),
            boot: "\(try SystemClock.bootID())", time: { clock.timestamp() }, logger: logs("events")
        )
        let configuration = ConfigurationService(
            file: file, running: sources, settings: settings,
            history: ConfigurationHistory(stateDirectory: settings.device.stateDirectory),
            clock: clock, logger: logs("configuration"),
            tell: { await events.record([Event(.config, who: "config file", $0.words)]) })
        let health = HealthDoor(of: house, clock: clock, logs: logs)
        let subscribe = SubscribeDoor(of: house, clock: clock, logs: logs)
        let lan = try LANWatchService(
            clock: clock, logger: logs("lan"), wanted: { LANWatchService.Wanted(house) })
        let drill = DrillService(
            clock: clock, resolve: { try await house.egress.tenant.resolve($0) },
            carrying: { house.ways.isCut ? nil : await house.uplinks.tenant.carrying },
            account: { await house.uplinks.tenant.account(for: $0, on: $1) })
        let report = StatusReport(
            house: house, health: health, subscribe: subscribe, configuration: configuration,
            lan: lan, drill: drill, begun: begun, clock: clock)
        let watch = StatusWatchService(
            clock: clock, events: events, look: { await report.document($0) })
        let desk = ConsoleDesk(
            house: house, watch: watch,
            doctor: DoctorService(resolve: { try await house.egress.tenant.resolve($0) }),
            configuration: configuration,
            drill: DrillDesk(
                house: house, service: drill, events: events, clock: clock, logger: logs("drill")),
            events: events)
        let page = PageDoor(
            settings.page, clock: clock, logs: logs,
            content: { (await watch.document(), await events.latest()) })
        await watch.ask("status page") { await page.trouble }
        let console = ConsoleServer(
            path: settings.device.runDirectory + "/control.sock",
            handler: { await desk.answer($0) }, logger: logs("console"))

        let push = PushDoor(
            into: house, runDirectory: settings.device.runDirectory, clock: clock, logs: logs)
        let bulk = BulkDoor(into: house, clock: clock, logs: logs)
        await watch.ask("bulk delivery") { await bulk.trouble }
        let syslog = SyslogDoor(
            of: house, stateDirectory: settings.device.stateDirectory, events: events, clock: clock,
            logs: logs)
        await watch.ask("syslog") { await syslog.trouble }
        await watch.ask("push") { await push.trouble }
        let pulse = Pulse(house: house, clock: clock, logger: logs("pulse"))

        let rooms: [any Service] =
            house.rooms + [
                Room("cut uplinks") { try await house.obeyCuts() },
                Room("console") { try await console.run() },
                Room("status and events") { try await watch.run(hearing: house.news.rings) },
                page.slot, push.slot, health.slot, subscribe.slot, syslog.slot, bulk.slot,
                Room("configuration") {
                    try await configuration.run(
                        WholeHouse(
                            house: house, page: page, push: push, health: health,
                            subscribe: subscribe, syslog: syslog, bulk: bulk))
                },
                Room("reload") {
                    for await _ in await UnixSignalsSequence(trapping: .sighup) {
                        configuration.reload()
                    }
                },
                Room("LAN watch") { try await lan.run() },
                Room("drill") { try await desk.drill.keepNights(desk) },
                Room("pulse") { try await pulse.run() },
                Room("ready") {
                    try? Notify().send(.ready)
                    await events.record([
                        Event(.start, "version \(Drawbridge.version), process \(getpid())"), config,
                    ])
                    logs("daemon").notice(
                        "ready",
                        metadata: ["after_ms": "\(Int((clock.now() - begun).milliseconds))"])
                    try await gracefulShutdown()
                },
            ]
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

/// What goes around the house as a service: it goes on until the group is told to end, which is a normal end.
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
