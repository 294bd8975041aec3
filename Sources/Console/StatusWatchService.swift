package import Base

/// Looks at the house every few seconds, and whenever somebody says that something has happened: keeps the uplinks' history,
/// and tells the event log what has changed.
package actor StatusWatchService {
    /// How closely the house is looked at.
    package enum Look: Sendable {
        /// What moves seldom may be taken from the document of the look before.
        case quick(StatusDocument)
        case full
        /// Somebody waits for it: whatever is kept right by somebody else each few seconds is compared just now, too.
        case asked
    }

    /// Between two looks that nobody has asked for.
    package static let period = Duration.seconds(StatusHistory.intervalSeconds) / 2
    /// From the word that something has happened to the look: what follows from it at once is seen, too, and who
    /// rings without end is not looked at without end.
    package static let settling = Duration.milliseconds(100)

    private let look: @Sendable (Look) async -> StatusDocument
    private let clock: any MonotonicClock
    private let events: EventLogService
    private var history = StatusHistory()
    private var watch = EventWatch()
    private var previous: StatusDocument?
    private var isLooking = false
    /// Somebody wants a look, and perhaps a thorough one.
    private var wanted: Bool?
    private var others: [(name: String, trouble: @Sendable () async -> String?)] = []

    package init(
        clock: any MonotonicClock, events: EventLogService,
        look: @escaping @Sendable (Look) async -> StatusDocument
    ) {
        self.clock = clock
        self.events = events
        self.look = look
    }

    /// Runs until cancelled; `news`: something has happened.
    package func run(hearing news: AsyncStream<Void>) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask {
                for await _ in news {
                    try await self.clock.sleep(until: self.clock.now() + Self.settling)
                    await self.lookAround(isThorough: false)
                }
            }
            while true {
                await lookAround(isThorough: false)
                try await clock.sleep(until: clock.now().next(multipleOf: Self.period))
                await lookAround(isThorough: true)
                try await clock.sleep(until: clock.now().next(multipleOf: Self.period))
            }
        }
    }

    /// One look after the other: what an older one saw must not be told after what a newer one did.
    private func lookAround(isThorough: Bool) async {
        wanted = isThorough || wanted ?? false
        guard !isLooking else { return }
        isLooking = true
        await catchUp()
        isLooking = false
    }

    private func catchUp() async {
        while let isThorough = wanted {
            wanted = nil
            let document = await look(isThorough ? .full : previous.map { .quick($0) } ?? .full)
            // Not the very first look: nothing has answered at that moment, and that is no loss.
            if isThorough { history.take(document) }
            await tell(document, isThorough: isThorough)
        }
    }

    private func tell(_ document: StatusDocument, isThorough: Bool) async {
        previous = document
        let news = watch.handle(document, at: clock.now())
        // Also without news: what a full disk did not take is tried again.
        if isThorough || !news.isEmpty { await events.record(news) }
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

    /// The state at this moment, with the history. What it tells anew stands in the event log, too.
    package func document() async -> StatusDocument {
        var document = await askedDocument()
        history.complete(&document)
        var troubles = [("event log", await events.trouble)]
        for other in others { troubles.append((other.name, await other.trouble())) }
        for case (let name, let trouble?) in troubles {
            document.problems.append("\(name): \(trouble)")
            if document.state == .ok { document.state = .degraded }
        }
        return document
    }
    private func askedDocument() async -> StatusDocument {
        guard !isLooking else {
            // Which of the two sees the newer state nobody knows: a third one tells.
            wanted = wanted ?? false
            return await look(.asked)
        }
        isLooking = true
        let document = await look(.asked)
        await tell(document, isThorough: false)
        await catchUp()
        isLooking = false
        return document
    }
}
