package import Base
import Cloud

/// One session as our code speaks it, for others to judge: births, live and historical data, and a death.
package enum SparkplugSample {
    /// Topic and payload of each message, in order.
    package static func messages(at wall: WallTime) -> [(topic: String, payload: [UInt8])] {
        var session = SparkplugSession(
            group: "drawbridge", node: "press-line-4",
            devices: [
                .init(
                    name: "plc-1",
                    tags: [
                        .init(name: "strokes", type: .int64), .init(name: "oven", type: .double),
                        .init(name: "door", type: .boolean), .init(name: "state", type: .string),
                    ])
            ], birthDeathSequence: 6)
        let will = session.connecting(at: wall)
        var messages = session.births(at: wall)
        var delivery = Delivery(cursor: 0)
        delivery.connected(at: .boot, newest: 4)
        for (lane, first) in [(Delivery.Lane.backlog, UInt64(1)), (.live, 5)] {
            guard let order = delivery.next(lane) else { continue }
            let records = records(from: first, at: wall)
            for parcel in delivery.recordsRead(records, for: order, lane, at: .boot) {
                messages.append(session.data(parcel, at: wall))
            }
        }
        messages += [session.death(at: wall), will]
        return messages.map { ($0.topic, $0.payload) }
    }

    private static func records(from first: UInt64, at wall: WallTime) -> [Record] {
        let values: [(String, TagValue, Quality)] = [
            ("strokes", .integer(-7), .good), ("oven", .double(180.5), .bad),
            ("door", .bool(true), .good), ("state", .string("läuft"), .good),
        ]
        return values.enumerated().map { place, tag in
            Record(
                sequence: first + UInt64(place), bootID: BootID(high: 1, low: 1),
                reading: Reading(
                    source: "plc-1", tag: tag.0, value: tag.1, quality: tag.2,
                    time: Timestamp(
                        monotonic: .boot,
                        wall: WallTime(milliseconds: wall.milliseconds - 1000 * Int64(place)))))
        }
    }
}
