import Base
import Linux
import Logging
import Machines
import Recorder
import Settings

/// The brokers of the machine network as sources, in their place beside the house.
struct SubscribeDoor: Sendable {
    struct Part: Equatable, Sendable {
        var brokers: [Settings.Subscription]
        /// A part of our client ids.
        var device: String

        init(_ settings: Settings) {
            brokers = settings.subscriptions
            device = settings.device.name
        }
    }

    let slot: Slot<Part, SubscriptionsService>
    private let make: @Sendable (Part) -> SubscriptionsService

    init(of house: House, clock: SystemClock, logs: @escaping @Sendable (String) -> Logger) {
        let make: @Sendable (Part) -> SubscriptionsService = { part in
            SubscriptionsService(
                brokers: part.brokers, device: part.device,
                sink: { try await house.recorder.tenant.append($0) }, clock: clock,
                wall: { clock.wall() }, logger: logs("subscribe"))
        }
        self.make = make
        let part = Part(house.settings)
        slot = Slot("subscribe", part, make(part), logger: logs("subscribe"), remake: make) {
            try await $0.run()
        }
    }

    /// As machines.
    var status: [MachineStatus] { slot.tenant.status() }

    /// Returns its name if it was built anew.
    func rebuild(for settings: Settings) async -> [String] {
        let part = Part(settings)
        guard part != slot.part else { return [] }
        await slot.move(part, make(part))
        return ["subscribe"]
    }
}
