import Base
import Linux
import Logging
import Recorder
import Settings

/// A router that was offline for long comes back: what the cloud sees of its backlog and of its live data.
package struct BacklogRun: Sendable {
    /// Simulated time offline; each of the seven tags was read once a second.
    package var offline: Duration
    /// How often the link is cut while the backlog is on its way.
    package var cuts: Int
    /// How long each cut lasts.
    package var cutFor = Duration.seconds(5)

    package init(offline: Duration, cuts: Int) {
        self.offline = offline
        self.cuts = cuts
    }

    package struct Outcome: Sendable {
        /// Records of the time offline.
        package var recorded: Int
        /// From the link's return, the first time and after each cut, to live data in the cloud.
        package var untilLive: [Duration] = []
        /// From reading to the cloud, of all live records that came while the backlog was on its way; sorted.
        package var liveLatencies: [Duration] = []
        /// From the first return of the link to the last record of the backlog, cuts included.
        package var took = Duration.zero
        /// Records of the backlog that the cloud does not have.
        package var missing = 0
        package var outOfOrder = 0
        package var duplicates = 0
        package var bytesPerSecondBudget: Int64 = 0
        package var memory = MemoryPeak()

        package var liveMedian: Duration { percentile(50) }
        package var liveWorst: Duration { percentile(100) }

        package func percentile(_ percent: Int) -> Duration {
            guard !liveLatencies.isEmpty else { return .zero }
            return liveLatencies[(liveLatencies.count - 1) * percent / 100]
        }
    }

    private static let tags = [
        "oven.temperature", "oven.setpoint", "press.strokes", "press.reads", "press.running",
        "press.door", "press.state",
    ]

    /// Plays it in a site whose daemon has not been started.
    package func play(in site: Site) async throws -> Outcome {
        let seconds = Int(offline.inSeconds)
        var outcome = Outcome(recorded: seconds * Self.tags.count)
        let configuration = try Site.shippedConfiguration()
        outcome.bytesPerSecondBudget = try Settings.parse(configuration)
            .uplinks[0].backlogBudget.bytes
        try await fill(site.directory.state + "/recorder", seconds: seconds)
        for isp in ISP.allCases { try await site.cutSilently(isp) }
        try await site.startDaemon(config: configuration)
        let story = Story(site: site)
        try await story.waitUntil("it records, without a way out") {
            $0.lastSequence > UInt64(outcome.recorded) + 20 && !$0.isCloudConnected
        }
        guard let process = await site.daemonProcessID else {
            throw SiteError("the daemon has ended")
        }
        let watch = MemoryWatch(of: process)
        let begun = try await site.restore(.a)
        async let _: Void = watch.run()
        outcome.untilLive.append(try await liveData(in: site, since: begun))
        for cut in 1...max(1, cuts) where cut <= cuts {
            try await arrived(outcome.recorded * cut / (cuts + 1), in: site)
            try await site.cutSilently(.a)
            try await Task.sleep(for: cutFor)
            let back = try await site.restore(.a)
            outcome.untilLive.append(try await liveData(in: site, since: back))
        }
        try await arrived(outcome.recorded, in: site)
        try await story.waitUntil("everything is delivered") { $0.unsent < 20 }
        outcome.memory = try await watch.result()
        // What the broker has confirmed is still on its way to the watcher.
        try await Task.sleep(for: .seconds(2))
        await judge(site, since: begun, &outcome)
        return outcome
    }

    /// Writes the time offline into the daemon's store, by the recorder itself, as if in a boot before this one.
    private func fill(_ directory: String, seconds: Int) async throws {
        let clock = SystemClock()
        let wall = clock.wall()
        let recorder = try RecorderService(
            settings: Settings.Recorder(
                directory: directory, size: ByteSize(bytes: 8_000_000_000), sync: .seconds(1)),
            directory: try DirectoryFiles(path: directory), bootID: BootID(high: 1, low: 1),
            clock: clock, logger: Logger(label: "fill", factory: { _ in SwiftLogNoOpLogHandler() }))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await recorder.run() }
            for second in 0..<seconds {
                let ago = Duration.seconds(seconds - second)
                let time = Timestamp(
                    monotonic: .boot + .seconds(second),
                    wall: WallTime(milliseconds: wall.milliseconds - ago.nanoseconds / 1_000_000))
                try await recorder.append(
                    Self.tags.enumerated().map { place, tag in
                        Reading(
                            source: "plc-1", tag: tag, value: value(place, second), time: time)
                    })
            }
            group.cancelAll()
        }
    }

    private func value(_ place: Int, _ second: Int) -> TagValue {
        switch place {
        case 0: .double(180 + Double(second % 100) / 10)
        case 1: .double(180)
        case 2, 3: .integer(Int64(second))
        case 4, 5: .bool(second % 25 < 20)
        default: .string(second % 25 < 20 ? "running" : "idle")
        }
    }

    /// From the link's return to the first live record in the cloud.
    private func liveData(in site: Site, since back: Instant) async throws -> Duration {
        var first: Instant?
        try await site.waitUntil(within: .seconds(40), "live data in the cloud") {
            first = await site.cloud.look { tally in
                tally.records.values.compactMap { series in
                    series.arrivals.reversed().prefix { $0.arrived >= back }
                        .last { !$0.isHistorical }?.arrived
                }.min()
            }
            return first != nil
        }
        return (first ?? back) - back
    }

    private func arrived(_ count: Int, in site: Site) async throws {
        try await site.waitUntil(within: .seconds(600), "\(count) records of the backlog") {
            await site.cloud.look { $0.historicalCountSoFar >= count }
        }
    }

    private func judge(_ site: Site, since begun: Instant, _ outcome: inout Outcome) async {
        let clock = SystemClock()
        let wallBoot = clock.wall().milliseconds * 1_000_000 - clock.now().nanoseconds
        let recorded = UInt64(outcome.recorded)
        let seen = await site.cloud.look { tally in
            let all = tally.records.values.flatMap(\.arrivals)
            let backlog = all.filter { $0.id <= recorded }
            let last = backlog.map(\.arrived).max() ?? begun
            let latencies = all.filter { !$0.isHistorical && $0.arrived <= last }.compactMap {
                arrival in
                arrival.time.map {
                    Duration.nanoseconds(
                        arrival.arrived.nanoseconds + wallBoot - $0.milliseconds * 1_000_000)
                }
            }
            return (
                missing: Int(recorded) - Set(backlog.map(\.id)).count, last: last,
                latencies: latencies.sorted(), outOfOrder: tally.outOfOrder,
                duplicates: tally.duplicates
            )
        }
        outcome.missing = seen.missing
        outcome.took = seen.last - begun
        outcome.liveLatencies = seen.latencies
        outcome.outOfOrder = seen.outOfOrder
        outcome.duplicates = seen.duplicates
    }
}
