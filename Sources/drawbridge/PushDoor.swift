import Base
import Linux
import Logging
import Machines
import Recorder
import Settings

/// The socket and the port for programs that push, in their place beside the house. None of them speaks for a machine,
/// or for the router itself.
struct PushDoor: Sendable {
    /// What the config file wants of the two.
    struct Listeners: Sendable {
        var socket: PushService?
        var port: LANPushService?

        func run() async throws {
            try await withThrowingDiscardingTaskGroup { group in
                if let socket { group.addTask { try await socket.run() } }
                if let port { group.addTask { try await port.run() } }
                group.addTask { try await House.untilCancelled() }
            }
        }
    }

    let slot: Slot<Settings.Push, Listeners>
    private let make: @Sendable (Settings.Push) -> Listeners

    init(
        into house: House, runDirectory: String, clock: SystemClock,
        logs: @escaping @Sendable (String) -> Logger
    ) {
        let conversation = PushConversation(
            sink: { try await house.recorder.tenant.record($0) },
            reserved: { Self.reserved(house.settings) }, clock: clock, wall: { clock.wall() })
        let make: @Sendable (Settings.Push) -> Listeners = { push in
            var listeners = Listeners()
            if push.isEnabled {
                listeners.socket = PushService(
                    path: runDirectory + "/push.sock", conversation: conversation,
                    logger: logs("push"))
            }
            if let listen = push.listen {
                listeners.port = LANPushService(
                    listen: listen, clients: push.clients, conversation: conversation,
                    clock: clock, logger: logs("push"))
            }
            return listeners
        }
        self.make = make
        let push = house.settings.push
        slot = Slot("push", push, make(push), logger: logs("push"), remake: make) {
            try await $0.run()
        }
    }

    /// The names that only one speaker has.
    private static func reserved(_ settings: Settings) -> Set<String> {
        let own = [LossReport.source, Settings.Health.source]
        return Set(
            settings.machines.map(\.name) + settings.push.clients.map(\.name)
                + settings.subscriptions.map(\.name) + own)
    }

    /// Why clients of the machine network cannot push; nil: all is well.
    var trouble: String? {
        get async { await slot.tenant.port?.trouble }
    }

    /// Returns its name if it was built anew.
    func rebuild(for push: Settings.Push) async -> [String] {
        guard push != slot.part else { return [] }
        await slot.move(push, make(push))
        return ["push"]
    }
}
