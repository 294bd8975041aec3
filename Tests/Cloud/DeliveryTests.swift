import Base
import TestSupport
import Testing

@testable import Cloud

@Suite("Delivery")
struct DeliveryTests {
    private func at(_ milliseconds: Int64) -> Instant {
        Instant(nanoseconds: milliseconds * 1_000_000)
    }

    @Test("a dialogue: window, order of confirmation, cursor, disconnect")
    func dialogue() throws {
        var limits = Delivery.Limits()
        limits.batchesMax = 2
        limits.recordsMax = 10
        var delivery = Delivery(cursor: 5, limits: limits)
        #expect(delivery.next(.live) == nil && delivery.next(.backlog) == nil)
        delivery.connected(at: at(0), newest: 5)
        #expect(delivery.next(.backlog) == nil)
        #expect(delivery.next(.live) == Delivery.Order(after: 5, through: .max, limit: 10))

        let first = try delivery.read(.live, [sample(6), sample(7, source: "plc-2")], at: at(1))
        #expect(first.map(\.source) == ["plc-1", "plc-2"])
        #expect(!first.contains { $0.isHistorical })
        let second = try delivery.read(.live, [sample(8)], at: at(2))
        #expect(delivery.next(.live) == nil)
        #expect(delivery.inFlight == 3)

        // The second batch is confirmed first: the cursor waits for the first.
        #expect(delivery.acknowledged(second[0].id, at: at(3)) == nil)
        #expect(delivery.acknowledged(first[1].id, at: at(3)) == nil)
        #expect(delivery.cursor == 5)
        #expect(delivery.confirmedAhead == 1)
        #expect(delivery.acknowledged(first[0].id, at: at(3)) == 8)
        #expect(delivery.delivered == 3)
        #expect(delivery.acknowledged(first[0].id, at: at(3)) == nil)

        let third = try delivery.read(.live, [sample(9), sample(10)], at: at(4))
        delivery.disconnected()
        #expect(delivery.acknowledged(third[0].id, at: at(5)) == nil)
        #expect(delivery.next(.live) == nil)
    }

    @Test("live goes first, the backlog beside it, and a cut sends neither of them twice")
    func liveFirst() throws {
        var delivery = Delivery(cursor: 0)
        delivery.connected(at: at(0), newest: 100)
        #expect(delivery.next(.live)?.after == 100)
        #expect(
            delivery.next(.backlog, recordsMax: 7)
                == Delivery.Order(after: 0, through: 100, limit: 7))
        let live = try delivery.read(.live, [sample(101), sample(102)], at: at(1))
        let old = try delivery.read(.backlog, (1...10).map { sample($0) }, at: at(1))
        #expect(old.allSatisfy { $0.isHistorical })
        #expect(delivery.acknowledged(live[0].id, at: at(2)) == nil)
        #expect(delivery.acknowledged(old[0].id, at: at(2)) == 10)
        #expect(delivery.confirmedAhead == 2)

        // The link is cut, 103 to 120 are recorded meanwhile.
        delivery.disconnected()
        delivery.connected(at: at(3), newest: 120)
        #expect(delivery.next(.live)?.after == 120)
        #expect(
            delivery.next(.backlog) == Delivery.Order(after: 10, through: 100, limit: 500))
        // What the ring gives beyond the order is for later.
        let more = try delivery.read(.backlog, (11...105).map { sample($0) }, at: at(4))
        #expect(more.flatMap(\.records).map(\.sequence) == Array(11...100))
        #expect(
            delivery.next(.backlog) == Delivery.Order(after: 102, through: 120, limit: 500))
        let rest = try delivery.read(.backlog, (103...120).map { sample($0) }, at: at(5))
        #expect(delivery.next(.backlog) == nil)
        #expect(delivery.acknowledged(rest[0].id, at: at(6)) == nil)
        #expect(delivery.acknowledged(more[0].id, at: at(6)) == 120)
        #expect(delivery.delivered == 120)
    }

    @Test(
        "behaviour 7.2: after more broken sessions than are remembered, the next one still gets the cursor to the end"
    )
    func manySessions() throws {
        var limits = Delivery.Limits()
        limits.rangesMax = 3
        var delivery = Delivery(cursor: 0, limits: limits)
        var newest: UInt64 = 100
        func live() throws {
            newest += 1
            let parcels = try delivery.read(.live, [sample(newest)], at: at(1))
            _ = delivery.acknowledged(try #require(parcels.first).id, at: at(1))
        }
        for _ in 0..<6 {
            delivery.connected(at: at(0), newest: newest)
            try live()
            delivery.disconnected()
            newest += 9  // Recorded while nobody is there to have it.
        }
        delivery.connected(at: at(2), newest: newest)
        try live()
        while let order = delivery.next(.backlog, recordsMax: 7) {
            let records = (order.after + 1...min(order.through, order.after + 7)).map { sample($0) }
            for parcel in delivery.recordsRead(records, for: order, .backlog, at: at(3)) {
                _ = delivery.acknowledged(parcel.id, at: at(3))
            }
            try live()
        }
        #expect(delivery.cursor == newest)
        #expect(delivery.confirmedAhead == 0)
    }

    @Test("what the ring has overwritten is passed over")
    func overwritten() throws {
        var delivery = Delivery(cursor: 0)
        delivery.connected(at: at(0), newest: 50)
        let live = try delivery.read(.live, [sample(51)], at: at(0))
        let old = try delivery.read(.backlog, [sample(51)], at: at(0))
        #expect(old.isEmpty)
        #expect(delivery.next(.backlog) == nil)
        #expect(delivery.acknowledged(live[0].id, at: at(0)) == 51)
    }

    @Test("a parcel is closed when it is large enough; order within a source stays")
    func large() throws {
        var limits = Delivery.Limits()
        limits.parcelBytesMax = 1_000
        var delivery = Delivery(cursor: 0, limits: limits)
        delivery.connected(at: at(0), newest: 0)
        let text = TagValue.string(String(repeating: "x", count: 400))
        let records = (1...9).map {
            sample($0, source: $0 % 2 == 0 ? "plc-1" : "plc-2", value: text)
        }
        let parcels = try delivery.read(.live, records, at: at(0))
        #expect(parcels.count == 4)
        for source in ["plc-1", "plc-2"] {
            let order = parcels.filter { $0.source == source }.flatMap(\.records).map(\.sequence)
            #expect(order == order.sorted())
        }
        #expect(parcels.flatMap(\.records).count == 9)
    }

    @Test("silence counts from the last confirmation, and only while something is in flight")
    func silence() throws {
        var delivery = Delivery(cursor: 0)
        delivery.connected(at: at(0), newest: 0)
        #expect(delivery.silentUntil == nil)
        let first = try delivery.read(.live, [sample(1)], at: at(60_000))
        #expect(delivery.silentUntil == at(70_000))
        _ = try delivery.read(.live, [sample(2)], at: at(65_000))
        #expect(delivery.silentUntil == at(70_000))
        _ = delivery.acknowledged(first[0].id, at: at(66_000))
        #expect(delivery.silentUntil == at(76_000))
        delivery.disconnected()
        #expect(delivery.silentUntil == nil)
    }
}

extension Delivery {
    /// The ring answers the next order of a lane.
    fileprivate mutating func read(_ lane: Lane, _ records: [Record], at now: Instant) throws
        -> [Parcel]
    {
        let order = try #require(next(lane))
        return recordsRead(records, for: order, lane, at: now)
    }
}

/// A ring, a broker and a router that may lose its connection, or its life, at any moment.
private struct DeliveryWorld {
    let limits: Delivery.Limits
    /// The ring holds 1 to this.
    var newest: UInt64
    /// What survives a crash: the cursor that the ring was told.
    var ringCursor: UInt64 = 0
    var delivery: Delivery
    /// Published and not yet at the broker, oldest first: a disconnect loses these.
    var toBroker: [Delivery.Parcel] = []
    /// Confirmations on their way back: a disconnect loses these too.
    var fromBroker: [Delivery.Parcel] = []
    /// Records whose confirmation has reached the router.
    var confirmed: Set<UInt64> = []
    /// What the router remembers to be confirmed, and published again.
    var repeated: UInt64?
    var remembered: Set<UInt64> = []
    /// Batches, by any of their parcels: they are remembered as a whole.
    var batches: [UInt64: Int] = [:]
    var open: [(waiting: Set<UInt64>, records: [UInt64])] = []
    /// What the broker got, in order, with the number of the connection.
    var seen: [(sequence: UInt64, key: String)] = []
    var connection = 0
    var isConnected = false

    init(newest: UInt64, limits: Delivery.Limits) {
        self.newest = newest
        self.limits = limits
        delivery = Delivery(cursor: 0, limits: limits)
    }

    mutating func step(_ event: Int, pick: Int) {
        switch event {
        case 0 where !isConnected:
            connection += 1
            isConnected = true
            delivery.connected(at: .boot, newest: newest)
        case 1:
            read(pick.isMultiple(of: 2) ? .live : .backlog, pick: pick / 2)
        case 2 where !toBroker.isEmpty:
            let parcel = toBroker.removeFirst()
            let key = "\(connection) \(parcel.source) \(parcel.isHistorical)"
            seen += parcel.records.map { ($0.sequence, key) }
            fromBroker.append(parcel)
        case 3 where !fromBroker.isEmpty:
            // In any order: a broker need not confirm in the order in which it received.
            let parcel = fromBroker.remove(at: pick % fromBroker.count)
            confirmed.formUnion(parcel.records.map(\.sequence))
            if let batch = batches.removeValue(forKey: parcel.id) {
                open[batch].waiting.remove(parcel.id)
                if open[batch].waiting.isEmpty { remembered.formUnion(open[batch].records) }
            }
            if let cursor = delivery.acknowledged(parcel.id, at: .boot) { ringCursor = cursor }
        case 4 where isConnected:
            loseConnection()
            delivery.disconnected()
        case 5:
            loseConnection()
            delivery = Delivery(cursor: ringCursor, limits: limits)
            remembered = []
        case 6:
            newest += UInt64(1 + pick % 3)
        default: break
        }
    }

    private mutating func read(_ lane: Delivery.Lane, pick: Int) {
        guard let order = delivery.next(lane, recordsMax: 1 + pick % limits.recordsMax),
            order.after < newest
        else { return }
        let end = min(newest, order.after + UInt64(order.limit))
        let records = (order.after + 1...end).map { sample($0, source: "plc-\($0 % 3)") }
        let parcels = delivery.recordsRead(records, for: order, lane, at: .boot)
        repeated =
            repeated
            ?? parcels.flatMap(\.records).map(\.sequence)
            .first { remembered.contains($0) }
        toBroker += parcels
        for parcel in parcels { batches[parcel.id] = open.count }
        open.append((Set(parcels.map(\.id)), parcels.flatMap(\.records).map(\.sequence)))
    }

    private mutating func loseConnection() {
        batches = [:]
        toBroker = []
        fromBroker = []
        isConnected = false
    }

    /// The cursor may pass only what was confirmed; nothing is sent again that is known to be there; within a
    /// connection and a lane each source's records come in order.
    func violation() -> String? {
        if ringCursor > 0, let gap = (1...ringCursor).first(where: { !confirmed.contains($0) }) {
            return "the cursor \(ringCursor) has passed \(gap), which was never confirmed"
        }
        if let repeated { return "\(repeated) was sent again after its confirmation" }
        var last: [String: UInt64] = [:]
        for entry in seen {
            if entry.sequence <= last[entry.key] ?? 0 {
                return "\(entry.sequence) came after \(last[entry.key] ?? 0) on \(entry.key)"
            }
            last[entry.key] = entry.sequence
        }
        return nil
    }

    /// The faults stop: everything must arrive.
    mutating func settle() -> String? {
        step(0, pick: 0)
        for _ in 0..<(newest * 4 + 40) {
            step(1, pick: 2)
            step(1, pick: 3)
            step(2, pick: 0)
            step(3, pick: 0)
        }
        if ringCursor != newest { return "stuck at \(ringCursor) of \(newest)" }
        if Set(seen.map(\.sequence)) != Set(1...newest) { return "the broker lacks records" }
        return violation()
    }
}

@Suite("Delivery in bad weather")
struct DeliverySimulation {
    @Test("1,000 seeds: nothing is lost, order holds, duplicates only of what was not confirmed")
    func seeded() {
        for seed in 0..<1_000 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            var limits = Delivery.Limits()
            limits.batchesMax = Int.random(in: 1...8, using: &generator)
            limits.recordsMax = Int.random(in: 1...20, using: &generator)
            limits.parcelBytesMax = Int.random(in: 60...1_000, using: &generator)
            var world = DeliveryWorld(newest: 50, limits: limits)
            for step in 0..<300 {
                // Mostly progress, now and then a disconnect, rarely a crash.
                let dice = Int.random(in: 0..<100, using: &generator)
                let limits = [10, 40, 64, 86, 92, 94]
                let event = limits.firstIndex { dice < $0 } ?? 6
                world.step(event, pick: Int.random(in: 0..<1_000, using: &generator))
                if step % 20 == 0, let wrong = world.violation() {
                    Issue.record("seed \(seed): \(wrong)")
                    return
                }
            }
            if let wrong = world.settle() {
                Issue.record("seed \(seed): \(wrong)")
                return
            }
        }
    }

    @Test("every order of 5 events on a small ring")
    func exhaustive() {
        var limits = Delivery.Limits()
        limits.batchesMax = 2
        limits.recordsMax = 2
        var worlds = 0
        func explore(_ world: DeliveryWorld, depth: Int) -> String? {
            if depth == 0 {
                worlds += 1
                var world = world
                return world.settle()
            }
            for event in 0..<7 {
                // Of either lane one or two records; the first or the second confirmation.
                for pick in 0..<(event == 1 ? 4 : event == 3 ? 2 : 1) {
                    var next = world
                    next.step(event, pick: pick)
                    if let wrong = next.violation() ?? explore(next, depth: depth - 1) {
                        return "\(event).\(pick) " + wrong
                    }
                }
            }
            return nil
        }
        // The first steps of every run that does anything are fixed: connect, record, read both lanes.
        var start = DeliveryWorld(newest: 3, limits: limits)
        start.step(0, pick: 0)
        start.step(6, pick: 0)
        start.step(1, pick: 0)
        start.step(1, pick: 1)
        #expect(explore(start, depth: 4) == nil)
        #expect(worlds == 14_641)
    }
}
