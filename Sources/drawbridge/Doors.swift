import Cloud
import Egress
import Firewall
import KillSwitch
import Linux
import Logging
import Machines
import Recorder
import Settings

// What one room offers and another asks for: the same words on both sides, so hardly anything has to be written.

/// The key switch holds the firewall's gate.
extension GateLease: Gate {}

/// The resolver opens addresses in the firewall before it tells them.
extension FirewallService: AddressOpener {}

/// The cloud takes its records from the ring.
extension RecorderKeeperService: RecordSource {
    package func newest() async -> UInt64 { await status().lastSequence }
}

/// Other programs push into the ring; none of them speaks for a machine, or for the router itself.
extension Daemon {
    static func push(
        into house: House, _ settings: Settings, _ clock: SystemClock,
        _ logs: @Sendable (String) -> Logger
    ) -> PushService {
        PushService(
            path: settings.device.runDirectory + "/push.sock",
            sink: { try await house.recorder.tenant.record($0) },
            reserved: { Set(house.settings.machines.map(\.name) + [LossReport.source]) },
            clock: clock, wall: { clock.wall() }, logger: logs("push"))
    }
}
