package import Base

/// Looks at the house once a second: keeps the uplinks' history, and tells the event log what has changed.
package actor StatusWatchService {
    /// How closely the house is looked at.
    package enum Look: Sendable {
        /// What moves seldom may be taken from the document of the look before.
        case quick(StatusDocument)
        case full
        /// Somebody waits for it: whatever is kept right by somebody else each few seconds is compared just now, too.
        case asked
    }

    private let look: @Sendable (Look) async -> StatusDocument
    private let clock: any MonotonicClock
    private let events: EventLogService
    private var history = StatusHistory()
    private var watch = EventWatch()
    private var others: [(name: String, trouble: @Sendable () async -> String?)] = []

    package init(
        clock: any MonotonicClock, events: EventLogService,
        look: @escaping @Sendable (Look) async -> StatusDocument
    ) {
        self.clock = clock
        self.events = events
        self.look = look
    }

    /// Runs until cancelled.
    package func run() async throws {
        var count = 0
        var previous: StatusDocument?
        while true {
            let isThorough = count % StatusHistory.intervalSeconds == 0
            let document = await look(isThorough ? .full : previous.map { .quick($0) } ?? .full)
            previous = document
            // At the very first look nothing has answered yet: that is no loss.
            if count > 0, isThorough { history.take(document) }
            let news = watch.handle(document, at: clock.now())
            // Also without news: what a full disk did not take is tried again.
            if isThorough || !news.isEmpty { await events.record(news) }
            count += 1
            try await clock.sleep(until: clock.now().next(multipleOf: .seconds(1)))
        }
    }

    /// Whom else to ask what is wrong; nil: nothing.
    package func ask(_ name: String, _ trouble: @escaping @Sendable () async -> String?) {
        others.append((name, trouble))
    }

    /// What one of them says at this moment; nil: nothing is wrong.
    package func trouble(of name: String) async -> String? {
        for other in others where other.name == name { return await other.trouble() }
        return nil
    }

    /// The state at this moment, with the history.
    package func document() async -> StatusDocument {
        var document = await look(.asked)
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
