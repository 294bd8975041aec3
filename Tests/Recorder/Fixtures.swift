import Base
import Recorder

let bootID = BootID(high: 0x1122_3344_5566_7788, low: 0x99aa_bbcc_ddee_ff00)

/// Reading number `n` of a source, one millisecond after the one before.
func reading(_ n: Int, source: String = "plc-1", pad: Int = 0) -> Reading {
    let text = String(repeating: "x", count: pad)
    return Reading(
        source: source, tag: "oven.temperature",
        value: pad > 0 ? .string("\(n) " + text) : .integer(Int64(n)),
        time: Timestamp(
            monotonic: Instant(nanoseconds: Int64(n) * 1_000_000),
            wall: WallTime(milliseconds: 1_700_000_000_000 + Int64(n))))
}

func store(
    _ disk: some RingDirectory, quota: Int64 = 1 << 20, boot: BootID = bootID
) throws -> RingStore {
    try RingStore(disk, quota: ByteSize(bytes: quota), bootID: boot) {
        Timestamp(
            monotonic: Instant(nanoseconds: 1), wall: WallTime(milliseconds: 1_800_000_000_000))
    }
}

extension RingStore {
    /// All records that can be delivered after a sequence.
    mutating func all(after start: UInt64 = 0, limit: Int = 1000) throws -> [Record] {
        var records: [Record] = []
        var after = start
        while true {
            let batch = try batch(after: after, limit: limit)
            guard let last = batch.last else { return records }
            records += batch
            after = last.sequence
        }
    }
}

extension [Record] {
    /// The loss reports among the records.
    var losses: [LossReport] { compactMap { LossReport($0.reading) } }
    /// The readings that are none.
    var readings: [Reading] {
        filter { $0.reading.source != LossReport.source }.map(\.reading)
    }
}

/// A reading such as any source could bring.
func randomReading(_ random: inout some RandomNumberGenerator) -> Reading {
    let value: TagValue =
        switch Int.random(in: 0..<5, using: &random) {
        case 0: .bool(.random(using: &random))
        case 1: .integer(.random(in: .min ... .max, using: &random))
        case 2: .integer(.random(in: -9...9, using: &random))
        case 3: .double(.random(in: -1e300...1e300, using: &random))
        default:
            .string(
                String(
                    repeating: ["a", "é", "DBFR", "\0"].randomElement(using: &random) ?? "",
                    count: .random(in: 0...40, using: &random)))
        }
    return Reading(
        source: "m\(Int.random(in: 0...3, using: &random))",
        tag: "t\(Int.random(in: 0...9, using: &random))", value: value,
        quality: Bool.random(using: &random) ? .good : .bad,
        time: Timestamp(
            monotonic: Instant(nanoseconds: .random(in: .min ... .max, using: &random)),
            wall: WallTime(milliseconds: .random(in: .min ... .max, using: &random))))
}
