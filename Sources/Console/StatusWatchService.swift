package import Base

/// Looks at the house once a second: keeps the uplinks' history, and tells the event log what has changed.
package actor StatusWatchService {
    private let look: @Sendable (_ isThorough: Bool) async -> StatusDocument
    private let clock: any MonotonicClock
    private let events: EventLogService
    private var history = StatusHistory()
    private var watch = EventWatch()
    private var others: [(name: String, trouble: @Sendable () async -> String?)] = []

    /// A thorough look asks the kernel anew for all that is in force.
    package init(
        clock: any MonotonicClock, events: EventLogService,
        look: @escaping @Sendable (_ isThorough: Bool) async -> StatusDocument
    ) {
        self.clock = clock
        self.events = events
        self.look = look
    }

    /// Runs until cancelled.
    package func run() async throws {
        var count = 0
        while true {
            let document = await look(count % StatusHistory.intervalSeconds == 0)
            // At the very first look nothing has answered yet: that is no loss.
            if count > 0, count % StatusHistory.intervalSeconds == 0 { history.take(document) }
            await events.record(watch.handle(document, at: clock.now()))
            count += 1
            try await clock.sleep(until: clock.now().next(multipleOf: .seconds(1)))
        }
    }

    /// Whom else to ask what is wrong; nil: nothing.
    package func ask(_ name: String, _ trouble: @escaping @Sendable () async -> String?) {
        others.append((name, trouble))
    }

    /// The state at this moment, with the history.
    package func document() async -> StatusDocument {
        var document = await look(true)
        history.complete(&document)
        var troubles = [("event log", await events.trouble)]
        for other in others { troubles.append((other.name, await other.trouble())) }
        for case (let name, let trouble?) in troubles {
            document.problems.append("\(name): \(trouble)")
            if document.state == .ok { document.state = .degraded }
        }
        return document
    }
}
