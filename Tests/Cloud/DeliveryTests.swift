import Base
import Cloud
import TestSupport
import Testing

@Suite("Delivery")
struct DeliveryTests {
    private func at(_ milliseconds: Int64) -> Instant {
        Instant(nanoseconds: milliseconds * 1_000_000)
    }

    @Test("a dialogue: window, order of confirmation, cursor, disconnect")
    func dialogue() {
        var limits = Delivery.Limits()
        limits.batchesMax = 2
        limits.recordsMax = 10
        var delivery = Delivery(cursor: 5, limits: limits)
        #expect(delivery.room == 0)
        delivery.connected(at: at(0), boot: thisBoot)
        #expect(delivery.room == 10)

        let first = delivery.recordsRead([sample(6), sample(7, source: "plc-2")], at: at(1))
        #expect(first.map(\.source) == ["plc-1", "plc-2"])
        let second = delivery.recordsRead([sample(8)], at: at(2))
        #expect(delivery.room == 0)
        #expect(delivery.sent == 8)
        #expect(delivery.inFlight == 3)

        // The second batch is confirmed first: the cursor waits for the first.
        #expect(delivery.acknowledged(second[0].id, at: at(3)) == nil)
        #expect(delivery.acknowledged(first[1].id, at: at(3)) == nil)
        #expect(delivery.cursor == 5)
        #expect(delivery.acknowledged(first[0].id, at: at(3)) == 8)
        #expect(delivery.delivered == 3)
        #expect(delivery.acknowledged(first[0].id, at: at(3)) == nil)

        let third = delivery.recordsRead([sample(9), sample(10)], at: at(4))
        delivery.disconnected()
        #expect(delivery.sent == 8)
        #expect(delivery.acknowledged(third[0].id, at: at(5)) == nil)
        #expect(delivery.recordsRead([sample(9)], at: at(5)) == [])
    }

    @Test("historical: read before this connection, or before this boot")
    func historical() {
        var delivery = Delivery(cursor: 0)
        delivery.connected(at: at(100), boot: thisBoot)
        let records = [
            sample(1, at: 500, boot: BootID(high: 9, low: 9)), sample(2, at: 99),
            sample(3, at: 100),
        ]
        let parcels = delivery.recordsRead(records, at: at(101))
        #expect(parcels[0].records.map(\.isHistorical) == [true, true, false])
    }

    @Test("a parcel is closed when it is large enough; order within a source stays")
    func large() {
        var limits = Delivery.Limits()
        limits.parcelBytesMax = 1_000
        var delivery = Delivery(cursor: 0, limits: limits)
        delivery.connected(at: at(0), boot: thisBoot)
        let text = TagValue.string(String(repeating: "x", count: 400))
        let records = (1...9).map {
            sample($0, source: $0 % 2 == 0 ? "plc-1" : "plc-2", value: text)
        }
        let parcels = delivery.recordsRead(records, at: at(0))
        #expect(parcels.count == 4)
        for source in ["plc-1", "plc-2"] {
            let order = parcels.filter { $0.source == source }.flatMap(\.records)
                .map(\.record.sequence)
            #expect(order == order.sorted())
        }
        #expect(parcels.flatMap(\.records).count == 9)
    }

    @Test("silence counts from the last confirmation, and only while something is in flight")
    func silence() {
        var delivery = Delivery(cursor: 0)
        delivery.connected(at: at(0), boot: thisBoot)
        #expect(delivery.silentUntil == nil)
        let first = delivery.recordsRead([sample(1)], at: at(60_000))
        #expect(delivery.silentUntil == at(70_000))
        _ = delivery.recordsRead([sample(2)], at: at(65_000))
        #expect(delivery.silentUntil == at(70_000))
        _ = delivery.acknowledged(first[0].id, at: at(66_000))
        #expect(delivery.silentUntil == at(76_000))
        delivery.disconnected()
        #expect(delivery.silentUntil == nil)
    }
}

/// A ring, a broker and a router that may lose its connection, or its life, at any moment.
private struct DeliveryWorld {
    let total: UInt64
    let limits: Delivery.Limits
    /// What survives a crash: the cursor that the ring was told.
    var ringCursor: UInt64 = 0
    var delivery: Delivery
    /// Published and not yet at the broker, oldest first: a disconnect loses these.
    var toBroker: [Delivery.Parcel] = []
    /// Confirmations on their way back: a disconnect loses these too.
    var fromBroker: [Delivery.Parcel] = []
    /// Records whose confirmation has reached the router.
    var confirmed: Set<UInt64> = []
    /// What the broker got, in order, with the number of the connection.
    var seen: [(sequence: UInt64, source: String, connection: Int)] = []
    var connection = 0
    var isConnected = false

    init(total: UInt64, limits: Delivery.Limits) {
        self.total = total
        self.limits = limits
        delivery = Delivery(cursor: 0, limits: limits)
    }

    mutating func step(_ event: Int, pick: Int) {
        switch event {
        case 0 where !isConnected:
            connection += 1
            isConnected = true
            delivery.connected(at: .boot, boot: thisBoot)
        case 1 where delivery.room > 0 && delivery.sent < total:
            let end = min(total, delivery.sent + UInt64(1 + pick % limits.recordsMax))
            let records = (delivery.sent + 1...end).map {
                sample($0, source: "plc-\($0 % 3)")
            }
            toBroker += delivery.recordsRead(records, at: .boot)
        case 2 where !toBroker.isEmpty:
            let parcel = toBroker.removeFirst()
            for entry in parcel.records {
                seen.append((entry.record.sequence, parcel.source, connection))
            }
            fromBroker.append(parcel)
        case 3 where !fromBroker.isEmpty:
            // In any order: a broker need not confirm in the order in which it received.
            let parcel = fromBroker.remove(at: pick % fromBroker.count)
            confirmed.formUnion(parcel.records.map(\.record.sequence))
            if let cursor = delivery.acknowledged(parcel.id, at: .boot) { ringCursor = cursor }
        case 4 where isConnected:
            loseConnection()
            delivery.disconnected()
        case 5:
            loseConnection()
            delivery = Delivery(cursor: ringCursor, limits: limits)
        default: break
        }
    }

    private mutating func loseConnection() {
        toBroker = []
        fromBroker = []
        isConnected = false
    }

    /// The cursor may pass only what was confirmed; within a connection nothing comes twice, and each
    /// source's records come in order.
    func violation() -> String? {
        if ringCursor > 0, let gap = (1...ringCursor).first(where: { !confirmed.contains($0) }) {
            return "the cursor \(ringCursor) has passed \(gap), which was never confirmed"
        }
        var last: [String: UInt64] = [:]
        for entry in seen {
            let key = "\(entry.connection) \(entry.source)"
            if entry.sequence <= last[key] ?? 0 {
                return "\(entry.sequence) came after \(last[key] ?? 0) on connection \(key)"
            }
            last[key] = entry.sequence
        }
        return nil
    }

    /// The faults stop: everything must arrive.
    mutating func settle() -> String? {
        step(0, pick: 0)
        for _ in 0..<(total * 4 + 40) {
            step(1, pick: 1)
            step(2, pick: 0)
            step(3, pick: 0)
        }
        if ringCursor != total { return "stuck at \(ringCursor) of \(total)" }
        if Set(seen.map(\.sequence)) != Set(1...total) { return "the broker lacks records" }
        return violation()
    }
}

@Suite("Delivery in bad weather")
struct DeliverySimulation {
    @Test("1,000 seeds: nothing is lost, order holds, duplicates only after a disconnect")
    func seeded() {
        for seed in 0..<1_000 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            var limits = Delivery.Limits()
            limits.batchesMax = Int.random(in: 1...8, using: &generator)
            limits.recordsMax = Int.random(in: 1...20, using: &generator)
            limits.parcelBytesMax = Int.random(in: 60...1_000, using: &generator)
            var world = DeliveryWorld(total: 200, limits: limits)
            for step in 0..<300 {
                // Mostly progress, now and then a disconnect, rarely a crash.
                let dice = Int.random(in: 0..<100, using: &generator)
                let limits = [15, 40, 70, 93, 98]
                let event = limits.firstIndex { dice < $0 } ?? 5
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

    @Test("every order of 7 events on a small ring")
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
            for event in 0..<6 {
                // Batches of one or two records; the first or the second confirmation.
                for pick in 0..<(event == 1 || event == 3 ? 2 : 1) {
                    var next = world
                    next.step(event, pick: pick)
                    if let wrong = next.violation() ?? explore(next, depth: depth - 1) {
                        return "\(event).\(pick) " + wrong
                    }
                }
            }
            return nil
        }
        // The first two steps of every run that does anything are fixed: connect, read.
        var start = DeliveryWorld(total: 4, limits: limits)
        start.step(0, pick: 0)
        start.step(1, pick: 0)
        #expect(explore(start, depth: 5) == nil)
        #expect(worlds == 32_768)
    }
}
