import Base
import Linux

/// Online: providers die, come back, and all die at once.
extension Story {
    /// A provider swallows every packet while its link stays up.
    package func providerDies(_ isp: ISP, successor: ISP) async throws -> [Promise] {
        tell(.chapter("\(isp.title) dies silently: the link stays up, packets vanish"))
        let cut = try await site.cutSilently(isp)
        tell(.done("\(isp.title) swallows every packet"))
        try await waitUntil("\(successor.title) carries") {
            $0.carrying == Self.uplinkNames[successor]
        }
        let switched = clock.now()
        let moved = switched - cut
        tell(
            .seen(
                "the router reports \(successor.title) as its way out after \(Figure.time(moved))"))
        try await waitUntil("the cloud is connected again") {
            $0.isCloudConnected && $0.unsent < 20
        }
        // Connected it may be before the first reading is there.
        try await site.waitUntil(within: Self.patience, "readings in the cloud again") {
            await site.cloud.look { tally in
                tally.records.values.contains { $0.arrivals.contains { $0.arrived > switched } }
            }
        }
        let resumed = await flowResumed(since: cut).map { $0 - cut } ?? Self.patience
        return [
            put(
                "a silent failure moves the traffic to the first fallback",
                "data in the cloud again after \(Figure.time(resumed))",
                isKept: moved < .seconds(10) && resumed < .seconds(20))
        ]
    }

    /// The preferred provider works again.
    package func providerReturns(_ isp: ISP) async throws -> [Promise] {
        tell(.chapter("\(isp.title) is back"))
        let back = try await site.restore(isp)
        tell(.done("\(isp.title) carries packets again"))
        try await waitUntil("\(isp.title) carries again") { $0.carrying == Self.uplinkNames[isp] }
        let moved = clock.now() - back
        tell(.seen("fail-back to \(isp.title) after \(Figure.time(moved))"))
        try await waitUntil("the cloud is connected over \(isp.title)") { $0.isCloudConnected }
        return [
            put(
                "fail-back to the preferred uplink", "after \(Figure.time(moved))",
                isKept: moved < .seconds(20))
        ]
    }

    /// A cable is pulled: the kernel knows at once.
    package func cableIsPulled(_ isp: ISP, successor: ISP) async throws -> [Promise] {
        tell(.chapter("Somebody pulls the cable of \(isp.title)"))
        let pulled = try await site.pullCable(isp)
        tell(.done("no carrier on \(isp.routerInterface)"))
        try await waitUntil("\(successor.title) carries") {
            $0.carrying == Self.uplinkNames[successor]
        }
        let moved = clock.now() - pulled
        tell(
            .seen(
                "the router reports \(successor.title) as its way out after \(Figure.time(moved))"))
        try await waitUntil("the cloud is connected again") {
            $0.isCloudConnected && $0.unsent < 20
        }
        return [
            put(
                "a pulled cable is noticed at once", "route moved within \(Figure.time(moved))",
                isKept: moved < .seconds(1))
        ]
    }

    /// No way out at all; and in the middle of it the daemon is killed.
    package func everyProviderDies() async throws -> [Promise] {
        tell(.chapter("Every provider is dead: the router records offline"))
        let before = try await look()
        for isp in ISP.allCases {
            try await site.cutSilently(isp)
            // The company network must stay reachable for the attacker below.
            try await site.plugCable(isp)
        }
        tell(.done("ISP A, B and C swallow every packet; every cable is plugged in"))
        try await waitUntil("records pile up while the cloud is away") {
            !$0.isCloudConnected && $0.unsent >= 50
        }
        tell(.seen("the cloud is away; readings go on into the ring"))
        let killed = try await killedAndRestarted()
        let later = try await waitUntil("more records pile up after the restart") {
            $0.lastSequence > killed.lastSequence + 50
        }
        return [
            put(
                "offline: readings are kept on flash",
                "\(Figure.count(later.lastSequence - before.lastSequence)) recorded,"
                    + " \(Figure.count(later.unsent)) waiting, \(later.lost) lost",
                isKept: later.lost == 0 && later.unsent > 0),
            killed.promise,
        ]
    }

    /// `kill -9` of the daemon: the firewall stays, and a restart goes on where it was.
    private func killedAndRestarted() async throws -> (promise: Promise, lastSequence: UInt64) {
        let before = try await look()
        try await site.killDaemon()
        tell(.done("kill -9 of the daemon"))
        let answers = try await reachableFromOffice()
        tell(
            .seen(
                answers.isEmpty
                    ? "the office host scans every port: no answer, the firewall stands"
                    : "answers: \(Self.words(answers))"))
        let begun = clock.now()
        try await site.startDaemon()
        let after = try await waitUntil("the router is up again") { $0.isReady }
        tell(.seen("up again \(Figure.time(clock.now() - begun)) after its start"))
        let promise = put(
            "kill -9: closed meanwhile, and nothing forgotten",
            "\(answers.count) ports open, goes on at record"
                + " \(Figure.count(after.lastSequence))",
            isKept: answers.isEmpty && after.lastSequence >= before.lastSequence)
        return (promise, after.lastSequence)
    }

    /// A provider is back, and the backlog goes to the cloud.
    package func backlogArrives() async throws -> [Promise] {
        tell(.chapter("The link is back"))
        let waiting = try await look().unsent
        let back = clock.now()
        for isp in ISP.allCases { try await site.restore(isp) }
        tell(.done("all providers carry packets again"))
        let state = try await waitUntil("the backlog is delivered") {
            $0.isCloudConnected && $0.unsent < 20
        }
        let last = state.lastSequence
        try await site.waitUntil(within: .seconds(10), "record \(last) in the cloud") {
            await site.cloud.look { tally in
                tally.records.values.contains { $0.ids.contains { $0 >= last } }
            }
        }
        tell(
            .seen(
                "\(Figure.count(waiting)) records delivered \(Figure.time(clock.now() - back)) after the link"
            ))
        let audit = await site.cloud.look { Audit($0, through: last) }
        tell(
            .seen(
                audit.duplicates == 0
                    ? "none of them came twice"
                    : "\(audit.duplicates) came twice, and were recognized by their id"))
        return [
            put(
                "count in = count out, each once, in order",
                "\(Figure.count(last)) in, \(Figure.count(audit.delivered)) out,"
                    + " \(audit.outOfOrder) out of order",
                isKept: audit.missing == 0 && audit.outOfOrder == 0 && audit.delivered == last),
            put(
                "the PLC agrees: it counted every time it was read",
                "\(Figure.count(audit.readsSeen)) reads, \(audit.readsMissing) missing in the cloud",
                isKept: audit.readsMissing == 0 && audit.readsSeen > 0),
        ]
    }
}

/// What the cloud has, held against what the ring gave out.
struct Audit: Equatable {
    var delivered = UInt64(0)
    var missing = UInt64(0)
    var duplicates = 0
    var outOfOrder = 0
    /// By the PLC's own counter of its reads.
    var readsSeen = 0
    var readsMissing = 0

    init(_ tally: CloudTally, through last: UInt64) {
        let ids = Set(tally.records.values.flatMap(\.ids).filter { $0 <= last })
        delivered = UInt64(ids.count)
        missing = last >= delivered ? last - delivered : 0
        duplicates = tally.records.values.reduce(0) { $0 + $1.duplicates }
        outOfOrder = tally.records.values.reduce(0) { $0 + $1.outOfOrder }
        guard let reads = tally.series["plc-1/press.reads"] else { return }
        readsSeen = reads.uniqueCount
        readsMissing = reads.missingCounts
    }
}

extension CloudTally {
    /// The series that hold records.
    var records: [String: Series] { series.filter { $1.uniqueCount > 0 } }
}
