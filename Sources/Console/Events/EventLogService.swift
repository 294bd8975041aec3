package import Base
import Linux
package import Logging

/// Writes the event log, on a thread of its own: a sync waits for the flash.
package actor EventLogService {
    private let executor = ThreadExecutor(name: "events")
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    private let store: any EventStore
    private let boot: String
    private let time: @Sendable () -> Timestamp
    private let logger: Logger
    private var last: EventEntry?
    private var isOpen = false
    /// Numbered only when they are written, so that what is dropped leaves no gap.
    private var waiting: [(event: Event, time: Timestamp)] = []
    private var dropped = 0
    private var recent: [EventEntry] = []
    /// Why events cannot be written; nil when they can.
    package private(set) var trouble: String?

    /// Entries that are kept in memory for the status page.
    private static let recentMax = 12

    package init(
        store: any EventStore, boot: String, time: @escaping @Sendable () -> Timestamp,
        logger: Logger
    ) {
        self.store = store
        self.boot = boot
        self.time = time
        self.logger = logger
    }

    /// The newest entries, the oldest of them first.
    package func latest() -> [EventEntry] { recent }

    /// The number of the newest entry on flash; 0: none is known.
    package var newest: UInt64 { last?.number ?? 0 }

    /// Returns when the events are on flash, or wait for a disk that takes none.
    package func record(_ events: [Event]) {
        let now = time()
        for event in events {
            logger.notice(
                "event",
                metadata: [
                    "kind": "\(event.kind.rawValue)", "who": "\(event.who)",
                    "what": "\(event.what)",
                ])
            waiting.append((event, now))
        }
        if waiting.count > EventLimits.waitingMax {
            dropped += waiting.count - EventLimits.waitingMax
            waiting.removeFirst(waiting.count - EventLimits.waitingMax)
        }
        guard !waiting.isEmpty else { return }
        do {
            try write(now)
            trouble = nil
        } catch {
            if trouble == nil {
                logger.error("events cannot be written", metadata: ["error": "\(error)"])
            }
            trouble = "\(error)"
        }
    }

    private func write(_ now: Timestamp) throws {
        if !isOpen {
            let found = try store.open()
            last = found.last
            isOpen = true
            if let repaired = found.repaired {
                waiting.insert((Event(.log, "dropped \(repaired)"), now), at: 0)
            }
        }
        if dropped > 0 {
            let text = "\(dropped) events were dropped while the disk took none"
            waiting.insert((Event(.log, text), now), at: 0)
            dropped = 0
        }
        var entries: [EventEntry] = []
        for (event, time) in waiting {
            entries.append(
                try EventEntry(event, after: entries.last ?? last, at: time, boot: boot))
        }
        try store.append(entries)
        last = entries.last
        waiting = []
        recent = (recent + entries).suffix(Self.recentMax)
    }
}
