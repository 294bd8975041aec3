import Base
import Linux
import Logging
import Machines
import Recorder
import Settings

/// The socket for programs that push, in its place beside the house. None of them speaks for a machine, or for the
/// router itself.
struct PushDoor: Sendable {
    /// Nil lives there while the config file wants no such socket.
    let slot: Slot<Settings.Push, PushService?>
    private let make: @Sendable (Settings.Push) -> PushService?

    init(
        into house: House, runDirectory: String, clock: SystemClock,
        logs: @escaping @Sendable (String) -> Logger
    ) {
        let make: @Sendable (Settings.Push) -> PushService? = { push in
            guard push.isEnabled else { return nil }
            return PushService(
                path: runDirectory + "/push.sock",
                sink: { try await house.recorder.tenant.record($0) },
                reserved: {
                    let own = [LossReport.source, Settings.Health.source]
                    return Set(house.settings.machines.map(\.name) + own)
                },
                clock: clock, wall: { clock.wall() }, logger: logs("push"))
        }
        self.make = make
        let push = house.settings.push
        slot = Slot("push", push, make(push), logger: logs("push"), remake: make) { push in
            if let push { try await push.run() } else { try await House.untilCancelled() }
        }
    }

    /// Returns its name if it was built anew.
    func rebuild(for push: Settings.Push) async -> [String] {
        guard push != slot.part else { return [] }
        await slot.move(push, make(push))
        return ["push"]
    }
}
