import Base
import Configuration
import Console
import Firewall
import Linux
import Logging
import ServiceLifecycle
import Settings
import UnixSignals

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

        let house = try House(
            settings, firewall: firewall, policy: policy, bootID: bootID, logs: logs)
        let configuration = ConfigurationService(
            file: file, running: sources,
            history: ConfigurationHistory(stateDirectory: settings.device.stateDirectory),
            apply: { try await house.rebuild(for: $0) }, clock: clock,
            logger: logs("configuration"))
        let report = StatusReport(
            house: house, configuration: configuration, begun: begun, clock: clock)
        let console = ConsoleServer(
            path: settings.device.runDirectory + "/control.sock",
            handler: { await report.answer($0) }, logger: logs("console"))
        let pulse = Pulse(house: house, clock: clock, logger: logs("pulse"))

        let rooms =
            house.rooms + [
                Room("console") { try await console.run() },
                Room("configuration") { try await configuration.run() },
                Room("reload") {
                    for await _ in await UnixSignalsSequence(trapping: .sighup) {
                        configuration.reload()
                    }
                },
                Room("pulse") { try await pulse.run() },
                Room("ready") {
                    try? Notify().send(.ready)
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

/// A room that cannot go on: the daemon ends, and what is closed stays closed.
struct RoomFailure: Error, CustomStringConvertible {
    let room: String
    let cause: String

    var description: String { "\(room): \(cause)" }
}
