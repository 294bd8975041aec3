import Base
import Linux

/// The product's main job as a story: each chapter does something to the site, waits for the router's
/// answer, and puts promises to the test. The demo tells it; the site tests check it.
package struct Story: Sendable {
    let site: Site
    let tell: @Sendable (StoryLine) -> Void
    let clock = SystemClock()

    /// Names of the shipped example's uplinks, by provider.
    static let uplinkNames: [ISP: String] = [.a: "office", .b: "wifi", .c: "lte"]
    /// Longest wait for anything that the router shall do.
    static let patience = Duration.seconds(40)

    package init(site: Site, tell: @escaping @Sendable (StoryLine) -> Void = { _ in }) {
        self.site = site
        self.tell = tell
    }

    /// The whole story, in order; returns every promise.
    package func all() async throws -> [Promise] {
        var promises = try await dataFlows()
        promises += try await providerDies(.a, successor: .b)
        promises += try await providerReturns(.a)
        promises += try await cableIsPulled(.a, successor: .b)
        promises += try await everyProviderDies()
        promises += try await backlogArrives()
        promises += try await attackerTries()
        promises += try await routerStaysOnItsList()
        promises += try await remoteUserReads()
        promises += try await keyTurnsOff()
        promises += try await keyTurnsOn()
        return promises
    }

    /// Tells a promise's outcome, and returns it.
    func put(_ text: String, _ figure: String, isKept: Bool) -> Promise {
        let promise = Promise(text, figure, isKept: isKept)
        tell(.promise(promise))
        return promise
    }

    /// What the daemon says of itself.
    package func look() async throws -> Seen {
        try Seen(json: try await site.status())
    }

    /// Waits until the daemon says so; returns what it said, and how long it took.
    @discardableResult
    func waitUntil(
        _ what: String, within limit: Duration = patience, _ condition: (Seen) -> Bool
    ) async throws -> Seen {
        var last: Seen?
        do {
            try await site.waitUntil(within: limit, what, every: .milliseconds(20)) {
                // While the daemon starts there is nobody to ask.
                guard let seen = try? await look() else { return false }
                last = seen
                return condition(seen)
            }
        } catch let error as SiteError {
            throw SiteError("\(error); the router says: \(last?.summary ?? "nothing")")
        }
        guard let last else { throw SiteError("the router never answered: \(what)") }
        return last
    }

    // MARK: data

    /// The daemon starts with the shipped example, and machine data flows to the cloud.
    package func dataFlows() async throws -> [Promise] {
        tell(.chapter("The router starts with the shipped example config"))
        let begun = clock.now()
        try await site.startDaemon(config: Site.shippedConfiguration())
        try await waitUntil("the router is connected to its cloud") { $0.isCloudConnected }
        tell(.seen("connected to the cloud \(Figure.time(clock.now() - begun)) after its start"))
        let tags = 7
        try await site.waitUntil(within: Self.patience, "three readings of each tag in the cloud") {
            await site.cloud.look { tally in
                tally.records.count >= tags
                    && tally.records.values.allSatisfy { $0.uniqueCount - $0.historicalCount >= 3 }
            }
        }
        let wallBoot = clock.wall().milliseconds - clock.now().nanoseconds / 1_000_000
        let delays = await site.cloud.look { tally in
            tally.records.values.flatMap(\.arrivals).filter { !$0.isHistorical }.compactMap {
                arrival in
                arrival.time.map {
                    arrival.arrived.nanoseconds / 1_000_000 + wallBoot - $0.milliseconds
                }
            }.sorted()
        }
        let median = delays.isEmpty ? 0 : max(0, delays[delays.count / 2])
        return [
            put(
                "machine data flows to the cloud",
                "\(median) ms from PLC to cloud (median of \(delays.count))",
                isKept: !delays.isEmpty && median < 1000)
        ]
    }

    /// When the first reading after the longest silence since `begin` arrived in the cloud.
    func flowResumed(since begin: Instant) async -> Instant? {
        await site.cloud.look { tally in
            let times = tally.records.values.flatMap(\.arrivals).map(\.arrived)
                .filter { $0 > begin }.sorted()
            var last = begin
            var longest = Duration.zero
            var resumed: Instant?
            for time in times {
                if time - last > longest { (longest, resumed) = (time - last, time) }
                last = time
            }
            return resumed
        }
    }
}
