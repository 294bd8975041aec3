package import Base

/// How records get from the ring to the broker: at least once, in order per source, and the cursor never
/// ahead of what the broker has confirmed.
///
///     offline ──connected──▶ online ──recordsRead──▶ in flight (at most `batchesMax`) ──acknowledged──▶ cursor moves
///        ▲                     │
///        └────disconnected─────┘  (what was in flight is read again from the cursor)
package struct Delivery: Sendable {
    package struct Limits: Equatable, Sendable {
        /// Most batches that wait for the broker at once.
        package var batchesMax = 8
        /// Most records of a batch.
        package var recordsMax = 500
        /// A parcel is closed when its records' values and names pass this many bytes.
        package var parcelBytesMax = 64 * 1024
        /// How long the broker may confirm nothing while something is in flight.
        package var silenceMax = Duration.seconds(10)

        package init() {}
    }

    /// Records of one source that go in one message.
    package struct Parcel: Equatable, Sendable {
        package struct Entry: Equatable, Sendable {
            package var record: Record
            /// Read before the present connection was established.
            package var isHistorical: Bool
        }
        /// Unique for this value's life.
        package var id: UInt64
        package var source: String
        package var records: [Entry]
    }

    private struct Batch: Sendable {
        var through: UInt64
        var records: Int
        var waiting: Set<UInt64>
    }

    private struct Connection: Sendable {
        var since: Instant
        var boot: BootID
        /// When the broker last confirmed something, or had nothing to confirm.
        var heardAt: Instant
    }

    private let limits: Limits
    private var connection: Connection?
    private var batches: [Batch] = []
    private var parcelsMade: UInt64 = 0
    /// Everything up to this sequence is confirmed.
    package private(set) var cursor: UInt64
    /// Everything up to this sequence is confirmed or in flight.
    package private(set) var sent: UInt64
    /// Records confirmed since this value was made.
    package private(set) var delivered: UInt64 = 0

    package init(cursor: UInt64, limits: Limits = Limits()) {
        self.cursor = cursor
        self.limits = limits
        sent = cursor
    }

    /// Records that wait for the broker.
    package var inFlight: Int { batches.reduce(0) { $0 + $1.records } }

    /// How many more records may be read and sent now; 0 while offline or while the window is full.
    package var room: Int {
        connection != nil && batches.count < limits.batchesMax ? limits.recordsMax : 0
    }

    /// When the connection is to be given up because the broker stays silent; nil while nothing is in flight.
    package var silentUntil: Instant? {
        guard let connection, !batches.isEmpty else { return nil }
        return connection.heardAt + limits.silenceMax
    }

    package mutating func connected(at now: Instant, boot: BootID) {
        precondition(connection == nil, "connected twice")
        connection = Connection(since: now, boot: boot, heardAt: now)
    }

    package mutating func disconnected() {
        connection = nil
        batches = []
        sent = cursor
    }

    /// The ring gave these, in order, all after `sent`; what comes back is to be published in this order.
    package mutating func recordsRead(_ records: [Record], at now: Instant) -> [Parcel] {
        guard let connection, let last = records.last else { return [] }
        precondition(records.count <= limits.recordsMax && batches.count < limits.batchesMax)
        precondition(records[0].sequence > sent, "the ring went back")
        let parcels = parcels(of: records, over: connection)
        if batches.isEmpty { self.connection?.heardAt = now }
        batches.append(
            Batch(through: last.sequence, records: records.count, waiting: Set(parcels.map(\.id))))
        sent = last.sequence
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
        var moved: UInt64?
        while let first = batches.first, first.waiting.isEmpty {
            batches.removeFirst()
            delivered += UInt64(first.records)
            cursor = first.through
            moved = cursor
        }
        return moved
    }

    private mutating func parcels(of records: [Record], over connection: Connection) -> [Parcel] {
        var done: [Parcel] = []
        var open: [String: (parcel: Parcel, bytes: Int)] = [:]
        var order: [String] = []
        for record in records {
            let reading = record.reading
            let isHistorical =
                record.bootID != connection.boot || reading.time.monotonic < connection.since
            var slot = open[reading.source] ?? (newParcel(reading.source), 0)
            if slot.parcel.records.isEmpty { order.append(reading.source) }
            slot.parcel.records.append(.init(record: record, isHistorical: isHistorical))
            slot.bytes += reading.wireBytes
            if slot.bytes < limits.parcelBytesMax {
                open[reading.source] = slot
            } else {
                done.append(slot.parcel)
                open[reading.source] = nil
                order.removeAll { $0 == reading.source }
            }
        }
        return done + order.compactMap { open[$0]?.parcel }
    }

    private mutating func newParcel(_ source: String) -> Parcel {
        parcelsMade += 1
        return Parcel(id: parcelsMade, source: source, records: [])
    }
}

extension Reading {
    /// Roughly the bytes of a metric: names, value, and about 40 for the rest.
    fileprivate var wireBytes: Int {
        let valueBytes = if case .string(let text) = value { text.utf8.count } else { 8 }
        return tag.utf8.count + source.utf8.count + valueBytes + 40
    }
}
