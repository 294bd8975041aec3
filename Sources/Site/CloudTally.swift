package import Base

/// What the cloud has received, counted: is anything missing, twice, or in the wrong order?
///
/// A record is a metric with the property `id`, the number that the device's store gave it; that is how
/// a duplicate, which at-least-once delivery allows, is told apart.
package struct CloudTally: Sendable {
    /// The property that carries a record's number.
    package static let idProperty = "id"
    /// Most records that are kept; later ones are only counted, in `recordsOverLimit`.
    package static let recordsMax = 1 << 21

    /// One record, as it first arrived.
    package struct Arrival: Equatable, Sendable {
        package var id: UInt64
        package var value: TagValue?
        /// When the device says the value was read, in milliseconds since 1970.
        package var time: WallTime?
        package var isHistorical: Bool
        /// When the watcher had it.
        package var arrived: Instant
    }

    /// The records of one tag.
    package struct Series: Sendable {
        /// In order of arrival, each id once.
        package fileprivate(set) var arrivals: [Arrival] = []
        fileprivate var seen: Set<UInt64> = []
        /// Of live and of historical records: live ones overtake the backlog.
        fileprivate var newest: [Bool: UInt64] = [:]
        /// Arrivals of an id that was there already.
        package fileprivate(set) var duplicates = 0
        /// First arrivals after a record with a greater id, live and historical ones apart.
        package fileprivate(set) var outOfOrder = 0

        package var uniqueCount: Int { arrivals.count }
        package var historicalCount: Int { arrivals.count { $0.isHistorical } }
        package var ids: [UInt64] { arrivals.map(\.id) }
        package var last: Arrival? { arrivals.last }

        /// For a tag that counts in steps of one: the counts between its least and greatest that are missing.
        package var missingCounts: Int {
            let counts = Set(arrivals.compactMap { CloudTally.integer($0.value) })
            guard let least = counts.min(), let greatest = counts.max() else { return 0 }
            return Int(greatest - least) + 1 - counts.count
        }

        fileprivate mutating func add(_ arrival: Arrival) -> Bool {
            guard seen.insert(arrival.id).inserted else {
                duplicates += 1
                return false
            }
            let before = newest[arrival.isHistorical] ?? 0
            if arrival.id < before { outOfOrder += 1 }
            newest[arrival.isHistorical] = max(before, arrival.id)
            arrivals.append(arrival)
            return true
        }
    }

    /// By `device/tag`, or the tag alone when it is the edge node's own.
    package private(set) var series: [String: Series] = [:]
    /// Births and deaths, by message type: `NBIRTH`, `NDEATH`, `DBIRTH`, `DDEATH`; and data messages.
    package private(set) var messages: [String: Int] = [:]
    /// Messages on a Sparkplug topic that could not be read, and metrics whose alias no birth has named.
    package private(set) var unreadable = 0
    package private(set) var recordsOverLimit = 0
    package private(set) var recordsCount = 0
    /// Records that came marked as historical, each once.
    package private(set) var historicalCountSoFar = 0
    /// The last value of everything, records or not, by the same names.
    package private(set) var lastValues: [String: TagValue] = [:]
    private var names: [String: [UInt64: (name: String, datatype: UInt64?)]] = [:]

    package init() {}

    /// A message came: topic `spBv1.0/group/type/node[/device]`.
    package mutating func received(topic: String, payload: [UInt8], at now: Instant) {
        let parts = topic.split(separator: "/", omittingEmptySubsequences: false).map {
            String($0)
        }
        guard (4...5).contains(parts.count), parts[0] == "spBv1.0",
            let message = SparkplugMessage(payload)
        else { return unreadable += 1 }
        let (type, node) = (parts[2], parts[3])
        messages[type, default: 0] += 1
        // A death's payload repeats only the birth's sequence number.
        if type.hasSuffix("DEATH") { return }
        for metric in message.metrics {
            note(
                metric, node: "\(parts[1])/\(node)", device: parts.count == 5 ? parts[4] : nil,
                isBirth: type.hasSuffix("BIRTH"), at: now)
        }
    }

    private mutating func note(
        _ metric: SparkplugMessage.Metric, node: String, device: String?, isBirth: Bool,
        at now: Instant
    ) {
        let born = metric.alias.flatMap { names[node]?[$0] }
        // Aliases are unique in an edge node, over all its devices; only a birth names them.
        let name = metric.name.map { name in device.map { "\($0)/\(name)" } ?? name }
        if isBirth, let alias = metric.alias, let name {
            names[node, default: [:]][alias] = (name, metric.datatype)
        }
        guard let name = name ?? born?.name else { return unreadable += 1 }
        let value = metric.value(datatype: born?.datatype)
        lastValues[name] = value
        guard let id = metric.properties[Self.idProperty] else { return }
        guard recordsCount < Self.recordsMax else { return recordsOverLimit += 1 }
        let arrival = Arrival(
            id: id, value: value,
            time: metric.timestamp.map { WallTime(milliseconds: Int64(clamping: $0)) },
            isHistorical: metric.isHistorical, arrived: now)
        guard series[name, default: Series()].add(arrival) else { return }
        recordsCount += 1
        if arrival.isHistorical { historicalCountSoFar += 1 }
    }

    /// The records of a tag; empty when none has come.
    package subscript(name: String) -> Series { series[name] ?? Series() }

    package var duplicates: Int { series.values.reduce(0) { $0 + $1.duplicates } }
    package var outOfOrder: Int { series.values.reduce(0) { $0 + $1.outOfOrder } }
    package var historicalCount: Int { series.values.reduce(0) { $0 + $1.historicalCount } }

    private static func integer(_ value: TagValue?) -> Int64? {
        if case .integer(let number) = value { number } else { nil }
    }
}
