import Base
import Console
import Linux
import Logging
import Settings

/// The status page in its place beside the house: what it shows is gathered from all the rooms.
struct PageDoor: Sendable {
    /// Nil lives there while the config file wants no page.
    let slot: Slot<Settings.Page, PageService?>
    private let make: @Sendable (Settings.Page) -> PageService?

    init(
        _ page: Settings.Page, clock: SystemClock, logs: @escaping @Sendable (String) -> Logger,
        content: @escaping @Sendable () async -> (StatusDocument, [EventEntry])
    ) {
        let make: @Sendable (Settings.Page) -> PageService? = { page in
            page.listen.map {
                PageService(
                    address: $0.address, port: $0.port, clock: clock, logger: logs("page"),
                    content: content)
            }
        }
        self.make = make
        slot = Slot("page", page, make(page), logger: logs("page"), remake: make) { page in
            if let page { try await page.run() } else { try await House.untilCancelled() }
        }
    }

    /// Why there is no page though there should be one; nil: all is well.
    var trouble: String? {
        get async { await slot.tenant?.trouble }
    }

    /// Returns its name if it was built anew.
    func rebuild(for page: Settings.Page) async -> [String] {
        guard page != slot.part else { return [] }
        await slot.move(page, make(page))
        return ["page"]
    }
}
