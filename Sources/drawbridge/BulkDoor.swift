import Base
import Cloud
import Egress
import Linux
import Logging
import Recorder
import Settings

/// The ring gives its blocks as they are.
extension RecorderKeeperService: BlockSource {}

/// What delivers whole blocks, in its place beside the house.
struct BulkDoor: Sendable {
    struct Part: Equatable, Sendable {
        var bulk: Settings.Bulk?
        /// The router is the same for all of the cloud.
        var identity: Settings.Identity
        /// Another ring, another cursor.
        var recorder: Settings.Recorder

        init(_ settings: Settings) {
            bulk = settings.bulk
            identity = settings.cloud.identity
            recorder = settings.recorder
        }
    }

    /// Nil lives there while the config file wants none.
    let slot: Slot<Part, BulkService?>
    private let make: @Sendable (Part) -> BulkService?

    init(into house: House, clock: SystemClock, logs: @escaping @Sendable (String) -> Logger) {
        let make: @Sendable (Part) -> BulkService? = { part in
            part.bulk.map { bulk in
                BulkService(
                    host: bulk.folder.endpoint.host.description, blocks: house.recorder.tenant,
                    carrier: BlockUpload(
                        folder: bulk.folder, identity: part.identity,
                        resolve: { try await house.egress.tenant.resolve($0) }),
                    budget: { house.backlogBudget }, clock: clock, logger: logs("bulk"))
            }
        }
        self.make = make
        let part = Part(house.settings)
        slot = Slot("bulk", part, make(part), logger: logs("bulk"), remake: make) { bulk in
            if let bulk {
                try await bulk.run()
            } else {
                // Without it nothing must be told as lost to it.
                try await house.recorder.tenant.forgetBlocks()
                try await House.untilCancelled()
            }
        }
    }

    /// Why blocks are not delivered; nil: they are, or need not be.
    var trouble: String? {
        get async { await slot.tenant?.trouble }
    }

    /// Returns its name if it was built anew.
    func rebuild(for settings: Settings) async -> [String] {
        let part = Part(settings)
        guard part != slot.part else { return [] }
        await slot.move(part, make(part))
        return ["bulk"]
    }
}
