import Base
import Console
import Egress
import Linux
import Logging
import Settings

/// The event log's way to a syslog server, in its place beside the house.
struct SyslogDoor: Sendable {
    struct Part: Equatable, Sendable {
        var syslog: Settings.Syslog?
        /// Under which name we speak.
        var device: String

        init(_ settings: Settings) {
            syslog = settings.syslog
            device = settings.device.name
        }
    }

    /// Nil lives there while the config file wants none.
    let slot: Slot<Part, SyslogService?>
    private let make: @Sendable (Part) -> SyslogService?
    private let house: House

    init(
        of house: House, stateDirectory: String, events: EventLogService, clock: SystemClock,
        logs: @escaping @Sendable (String) -> Logger
    ) {
        let make: @Sendable (Part) -> SyslogService? = { part in
            part.syslog.map {
                SyslogService(
                    settings: $0, host: part.device, stateDirectory: stateDirectory,
                    events: events, resolve: { try await house.egress.tenant.resolve($0) },
                    clock: clock, logger: logs("syslog"))
            }
        }
        self.make = make
        self.house = house
        let part = Part(house.settings)
        slot = Slot("syslog", part, make(part), logger: logs("syslog"), remake: make) {
            if let service = $0 {
                try await service.run()
            } else {
                try await House.untilCancelled()
            }
        }
    }

    /// Why events do not arrive; nil: they do, or the key has cut all uplinks, which is an order.
    var trouble: String? {
        get async { house.ways.isCut ? nil : await slot.tenant?.trouble }
    }

    /// Returns its name if it was built anew.
    func rebuild(for settings: Settings) async -> [String] {
        let part = Part(settings)
        guard part != slot.part else { return [] }
        await slot.move(part, make(part))
        return ["syslog"]
    }
}
