import Base
import Cloud

let thisBoot = BootID(high: 1, low: 1)

/// A record of `source`, read `milliseconds` after boot.
func sample(
    _ sequence: UInt64, source: String = "plc-1", tag: String = "press.strokes",
    value: TagValue? = nil, quality: Quality = .good, at milliseconds: Int64 = 0,
    boot: BootID = thisBoot
) -> Record {
    let time = Timestamp(
        monotonic: Instant(nanoseconds: milliseconds * 1_000_000),
        wall: WallTime(milliseconds: 1_700_000_000_000 + milliseconds))
    return Record(
        sequence: sequence, bootID: boot,
        reading: Reading(
            source: source, tag: tag, value: value ?? .integer(Int64(sequence)), quality: quality,
            time: time))
}

extension SparkplugPayload.Metric {
    /// The value of the property `id`: the record's place in the ring, by which duplicates are told apart.
    var recordID: UInt64? {
        guard case .long(let id) = properties.first(where: { $0.key == "id" })?.value else {
            return nil
        }
        return id
    }
}
