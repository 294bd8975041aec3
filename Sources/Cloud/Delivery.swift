package import Base

/// How records get from the ring to the broker: at least once, live ones first, and the cursor never ahead of
/// what the broker has confirmed.
///
///                    ┌── live: what the ring got since this connection began, at once ──┐
///     connected ─────┤                                                                  ├─▶ in flight ─▶ confirmed
///                    └── backlog: what is older, oldest first, at `BacklogPace` ────────┘
///
/// Live data therefore overtakes the backlog, but within each of the two lanes a source's records stay in order.
/// What was confirmed ahead of the cursor is remembered as ranges, so that a connection that is lost in the middle
/// of a backlog does not send it twice; a restart of the daemon does, and the receiver tells by the ids.
package struct Delivery: Sendable {
    package enum Lane: Hashable, Sendable, CaseIterable { case live, backlog }

    package struct Limits: Equatable, Sendable {
        /// Most batches of a lane that wait for the broker at once.
        package var batchesMax = 8
        /// Most records of a batch.
        package var recordsMax = 500
        /// A parcel is closed when its records' values and names pass this many bytes.
        package var parcelBytesMax = 64 * 1024
        /// How long the broker may confirm nothing while something is in flight.
        package var silenceMax = Duration.seconds(10)
        /// Ranges confirmed ahead of the cursor: each connection that is lost in the middle of a backlog adds one. Those
        /// of batches in flight may come on top.
        package var rangesMax = 64

        package init() {}
    }

    /// Records of one source that go in one message.
    package struct Parcel: Equatable, Sendable {
        /// Unique for this value's life.
        package var id: UInt64
        package var source: String
        /// Recorded before the present connection was established.
        package var isHistorical: Bool
        package var records: [Record]
    }

    /// What may be read from the ring now.
    package struct Order: Equatable, Sendable {
        package var after: UInt64
        /// Later ones are not meant: they are confirmed, or belong to the other lane.
        package var through: UInt64
        package var limit: Int
    }

    /// About the bytes of a number on the wire: alias, time, type, id and value.
    package static let metricBytes = 50

    private struct Batch: Sendable {
        var lane: Lane
        var after: UInt64
        var through: UInt64
        var records: Int
        var waiting: Set<UInt64>
    }

    private struct Connection: Sendable {
        /// The backlog ends here, and live data begins.
        var split: UInt64
        var sent: [Lane: UInt64]
        /// When the broker last confirmed something, or had nothing to confirm.
        var heardAt: Instant
    }

    private let limits: Limits
    private var connection: Connection?
    private var batches: [Batch] = []
    private var parcelsMade: UInt64 = 0
    /// Confirmed ahead of the cursor.
    private var ahead: SequenceRanges
    /// Everything up to this sequence is confirmed.
    package private(set) var cursor: UInt64
    /// Records confirmed since this value was made.
    package private(set) var delivered: UInt64 = 0

    package init(cursor: UInt64, limits: Limits = Limits()) {
        self.cursor = cursor
        self.limits = limits
        ahead = SequenceRanges(rangesMax: limits.rangesMax)
    }

    /// Records that wait for the broker.
    package var inFlight: Int { batches.reduce(0) { $0 + $1.records } }

    /// Records confirmed ahead of the cursor; those that the ring no longer had are counted, too.
    package var confirmedAhead: UInt64 {
        ahead.ranges.reduce(0) { $0 + ($1.through - $1.after) }
    }

    /// What to read for a lane; nil while offline, while its window is full, or when the backlog is all sent.
    package func next(_ lane: Lane, recordsMax: Int = .max) -> Order? {
        let limit = min(recordsMax, limits.recordsMax)
        guard let connection, let sent = connection.sent[lane],
            batches.count(where: { $0.lane == lane }) < limits.batchesMax
        else { return nil }
        switch lane {
        case .live: return Order(after: sent, through: .max, limit: limit)
        case .backlog:
            // The cursor may have overtaken it, and taken the ranges in between with it.
            let gap = ahead.gap(after: max(sent, cursor))
            guard gap.after < connection.split else { return nil }
            return Order(
                after: gap.after, through: min(gap.through, connection.split),
                limit: limit)
        }
    }

    /// When the connection is to be given up because the broker stays silent; nil while nothing is in flight.
    package var silentUntil: Instant? {
        guard let connection, !batches.isEmpty else { return nil }
        return connection.heardAt + limits.silenceMax
    }

    /// The ring's newest record is the last one of the backlog.
    package mutating func connected(at now: Instant, newest: UInt64) {
        precondition(connection == nil, "connected twice")
        let split = max(newest, cursor)
        connection = Connection(
            split: split, sent: [.live: split, .backlog: cursor], heardAt: now)
    }

    package mutating func disconnected() {
        connection = nil
        batches = []
    }

    /// The ring gave these, in order, for an order; what comes back is to be published in this order.
    ///
    /// Records beyond the order are ignored: if all are, the ring has overwritten what was meant.
    package mutating func recordsRead(
        _ records: [Record], for order: Order, _ lane: Lane, at now: Instant
    ) -> [Parcel] {
        // Race: the connection ended while the ring was read.
        guard connection != nil, !records.isEmpty else { return [] }
        precondition(records.count <= order.limit, "the ring gave more than was asked for")
        precondition(records[0].sequence > order.after, "the ring went back")
        let meant = records.prefix { $0.sequence <= order.through }
        // Short of its limit at a later record: everything that was meant has been given.
        let through =
            meant.count < records.count ? order.through : meant.last?.sequence ?? order.through
        let parcels = parcels(of: meant, isHistorical: lane == .backlog)
        connection?.sent[lane] = through
        guard !meant.isEmpty else {
            ahead.insert(after: order.after, through: through, sentAgain: toCome)
            return []
        }
        if batches.isEmpty { connection?.heardAt = now }
        batches.append(
            Batch(
                lane: lane, after: order.after, through: through, records: meant.count,
                waiting: Set(parcels.map(\.id))))
        return parcels
    }

    /// The broker confirmed a parcel. Returns where the cursor moves to, if it does.
    package mutating func acknowledged(_ id: UInt64, at now: Instant) -> UInt64? {
        guard let index = batches.firstIndex(where: { $0.waiting.contains(id) }) else {
            // Race: a confirmation that was on its way when its connection ended.
            return nil
        }
        batches[index].waiting.remove(id)
        connection?.heardAt = now
        for batch in batches where batch.waiting.isEmpty {
            delivered += UInt64(batch.records)
            ahead.insert(after: batch.after, through: batch.through, sentAgain: toCome)
        }
        batches.removeAll { $0.waiting.isEmpty }
        let reached = ahead.take(from: cursor)
        guard reached > cursor else { return nil }
        cursor = reached
        return reached
    }

    /// What the backlog's lane will still send in this connection, but for what is confirmed.
    private var toCome: SequenceRanges.Range {
        SequenceRanges.Range(
            after: connection?.sent[.backlog] ?? 0, through: connection?.split ?? 0)
    }

    private mutating func parcels(of records: ArraySlice<Record>, isHistorical: Bool) -> [Parcel] {
        // Changed in place: a parcel that is taken out to be added to is copied for each record.
        var parcels: [Parcel] = []
        var bytes: [Int] = []
        var open: [String: Int] = [:]
        for record in records {
            let source = record.reading.source
            let index = open[source] ?? parcels.count
            if index == parcels.count {
                parcels.append(newParcel(source, isHistorical: isHistorical))
                bytes.append(0)
                open[source] = index
            }
            parcels[index].records.append(record)
            bytes[index] += record.reading.wireBytes
            if bytes[index] >= limits.parcelBytesMax { open[source] = nil }
        }
        return parcels
    }

    private mutating func newParcel(_ source: String, isHistorical: Bool) -> Parcel {
        parcelsMade += 1
        return Parcel(id: parcelsMade, source: source, isHistorical: isHistorical, records: [])
    }
}

extension Reading {
    /// Roughly the bytes of a metric: names, value, and about 40 for the rest.
    fileprivate var wireBytes: Int {
        let valueBytes = if case .string(let text) = value { text.utf8.count } else { 8 }
        return tag.utf8.count + source.utf8.count + valueBytes + 40
    }
}
