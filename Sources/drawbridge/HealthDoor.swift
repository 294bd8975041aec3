import Base
import Cloud
import Firewall
import KillSwitch
import Linux
import Logging
import Machines
import Recorder
import Settings
import Uplinks

/// The router's own state as a source, in its place beside the house: it is gathered from all the rooms.
struct HealthDoor: Sendable {
    /// Nil lives there while the config file does not want it.
    let slot: Slot<Settings.Health, HealthService?>
    private let make: @Sendable (Settings.Health) -> HealthService?

    init(of house: House, clock: SystemClock, logs: @escaping @Sendable (String) -> Logger) {
        let make: @Sendable (Settings.Health) -> HealthService? = { health in
            guard health.isEnabled else { return nil }
            return HealthService(
                settings: health, look: { await Self.look(at: house) },
                sink: { try await house.recorder.tenant.append($0) }, clock: clock,
                wall: { clock.wall() }, logger: logs("health"))
        }
        self.make = make
        let health = house.settings.health
        slot = Slot("health", health, make(health), logger: logs("health"), remake: make) {
            if let service = $0 {
                try await service.run()
            } else {
                try await House.untilCancelled()
            }
        }
    }

    /// As one of the machines; none while it is not recorded.
    var status: [MachineStatus] { slot.tenant.map { [$0.status()] } ?? [] }

    /// Returns its name if it was built anew.
    func rebuild(for health: Settings.Health) async -> [String] {
        guard health != slot.part else { return [] }
        await slot.move(health, make(health))
        return ["health"]
    }

    private static func look(at house: House) async -> RouterHealth {
        var health = RouterHealth()
        health.uplinks = await house.uplinks.tenant.status().uplinks.map {
            RouterHealth.Uplink(
                name: $0.name, isUp: $0.isUp, isCarrying: $0.isCarrying,
                roundTripTime: $0.roundTripTime, lossPercent: $0.lossPercent)
        }
        health.isCloudConnected = await house.cloud.tenant.status().isConnected
        if let remote = house.remote.tenant {
            health.switchPosition = remote.keySwitch.status().position.rawValue
            health.isGateOpen = try? remote.gate.isOpen()
        }
        if let firewall = try? await house.firewall.status() {
            health.isFirewallInForce = firewall.isInForce
            health.dropped = firewall.dropped.reduce(0) { $0 &+ $1.packets }
        }
        let recorder = await house.recorder.tenant.status()
        health.ring = (recorder.bytesUsed.bytes, recorder.quota.bytes)
        health.unsent = recorder.unsent
        health.lost = recorder.lost
        health.diskFree = (try? FileSystemSpace(of: house.settings.recorder.directory))?.free
        health.temperature = MachineVitals.temperature()
        health.load = MachineVitals.load()
        health.memoryAvailable = MachineVitals.memoryAvailable()
        health.memoryOwn = MachineVitals.memoryOwn()
        return health
    }
}
