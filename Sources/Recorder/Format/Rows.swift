package import Base

/// Records in memory, a few bytes each: what waits to be sealed, and what a block holds.
package struct Rows: Sendable {
    package var names = Names()
    package var sequences: [UInt64] = []
    package var classes: [RecordClass] = []
    package var tags: [UInt32] = []
    /// The type of the value in the low four bits (`Kind`), above them `bad` and `timedBySource`.
    package var kinds: [UInt8] = []
    /// The value, or the place of its text in `texts`.
    package var values: [UInt64] = []
    /// The place of its time in `times`.
    package var moments: [UInt32] = []
    package var times: [Timestamp] = []
    package var texts: [String] = []
    /// Bytes of all texts.
    package var textBytes = 0

    package enum Kind {
        package static let bool: UInt8 = 0
        package static let integer: UInt8 = 1
        package static let double: UInt8 = 2
        package static let text: UInt8 = 3
        package static let all = [bool, integer, double, text]
        /// The source did not vouch for the value.
        package static let bad: UInt8 = 1 << 4
        /// The wall time is not by the router's clock.
        package static let timedBySource: UInt8 = 1 << 5
        package static let flags = bad | timedBySource
    }

    /// Under which boot they were read.
    package var bootID = BootID(high: 0, low: 0)

    package init() {}

    package var count: Int { sequences.count }
    package var isEmpty: Bool { sequences.isEmpty }

    package mutating func append(
        _ reading: Reading, sequence: UInt64, recordClass: RecordClass
    ) {
        let flags =
            (reading.quality == .bad ? Kind.bad : 0)
            | (reading.isTimedBySource ? Kind.timedBySource : 0)
        switch reading.value {
        case .bool(let value):
            kinds.append(flags | Kind.bool)
            values.append(value ? 1 : 0)
        case .integer(let value):
            kinds.append(flags | Kind.integer)
            values.append(UInt64(bitPattern: value))
        case .double(let value):
            kinds.append(flags | Kind.double)
            values.append(value.bitPattern)
        case .string(let value):
            kinds.append(flags | Kind.text)
            values.append(UInt64(texts.count))
            texts.append(value)
            textBytes += value.utf8.count
        }
        if times.last != reading.time { times.append(reading.time) }
        moments.append(UInt32(times.count - 1))
        tags.append(names.number(source: reading.source, tag: reading.tag))
        sequences.append(sequence)
        classes.append(recordClass)
    }

    package func reading(at row: Int) -> Reading {
        let bits = values[row]
        let value: TagValue =
            switch kinds[row] & 15 {
            case Kind.bool: .bool(bits != 0)
            case Kind.integer: .integer(Int64(bitPattern: bits))
            case Kind.double: .double(Double(bitPattern: bits))
            default: .string(texts[Int(bits)])
            }
        let name = names[tags[row]]
        return Reading(
            source: name.source, tag: name.tag, value: value,
            quality: kinds[row] & Kind.bad == 0 ? .good : .bad, time: times[Int(moments[row])],
            isTimedBySource: kinds[row] & Kind.timedBySource != 0)
    }

    /// Nobody knows which of the times are the sources' own: they are left as they are.
    mutating func leaveTimes() {
        for row in kinds.indices { kinds[row] |= Kind.timedBySource }
    }

    /// The rows from `row` on, with names and times of their own.
    package func suffix(from row: Int) -> Rows {
        var rest = Rows()
        for row in row..<count {
            rest.append(
                reading(at: row), sequence: sequences[row], recordClass: classes[row])
        }
        return rest
    }

    /// The first row whose sequence is at least this one.
    package func row(atOrAfter sequence: UInt64) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if sequences[middle] < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
