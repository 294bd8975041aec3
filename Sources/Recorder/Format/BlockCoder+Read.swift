import Base

extension BlockCoder {
    /// The rows of a data section, their names numbered by `names`; nil if it cannot be one.
    ///
    /// A row whose name is not known any more (`nil`) is left out.
    package static func rows(_ bytes: ArraySlice<UInt8>, names: [TagName?]) -> Rows? {
        var reader = ByteReader(bytes)
        guard let count = reader.varint().flatMap({ Int(exactly: $0) }), count > 0,
            count <= Limits.blockRowsMax
        else { return nil }
        var rows = Rows()
        guard let sequences = sequences(count, &reader), let classes = classes(count, &reader),
            let moments = moments(count, &reader, times: &rows.times),
            let tags = tags(count, &reader, names: names.count),
            let shape = reader.varint(), shape <= UInt64(reader.rest),
            let shapeBytes = reader.bytes(Int(shape)), let valueBytes = reader.bytes(reader.rest)
        else { return nil }
        var decoder = ColumnDecoder(shape: ByteReader(shapeBytes), values: ByteReader(valueBytes))
        var counts = [Int](repeating: 0, count: names.count + 1)
        for tag in tags { counts[Int(tag) + 1] += 1 }
        for index in 1..<counts.count { counts[index] += counts[index - 1] }
        var kinds: [UInt8] = []
        var values: [UInt64] = []
        kinds.reserveCapacity(count)
        values.reserveCapacity(count)
        for tag in 0..<names.count where counts[tag] < counts[tag + 1] {
            guard let column = decoder.next(counts[tag + 1] - counts[tag], texts: &rows.texts)
            else { return nil }
            kinds += column.kinds
            values += column.bits
        }
        // Numbers of names that are known; what is not cannot be told whose it is.
        var numbers = [UInt32](repeating: .max, count: names.count)
        for (index, name) in names.enumerated() {
            if let name { numbers[index] = rows.names.add(name) }
        }
        let isAllKnown = !numbers.contains(.max)
        if isAllKnown {
            // As they are: a copy would take as much memory again.
            rows.sequences = sequences
            rows.classes = classes
            rows.moments = moments
            rows.tags.reserveCapacity(count)
            rows.kinds.reserveCapacity(count)
            rows.values.reserveCapacity(count)
        } else {
            rows.reserve(count)
        }
        for row in 0..<count {
            let tag = Int(tags[row])
            let place = counts[tag]
            counts[tag] += 1
            guard numbers[tag] != .max else { continue }
            if !isAllKnown {
                rows.sequences.append(sequences[row])
                rows.classes.append(classes[row])
                rows.moments.append(moments[row])
            }
            rows.tags.append(numbers[tag])
            rows.kinds.append(kinds[place])
            rows.values.append(values[place])
        }
        rows.textBytes = rows.texts.reduce(0) { $0 + $1.utf8.count }
        return rows
    }

    private static func sequences(_ count: Int, _ reader: inout ByteReader) -> [UInt64]? {
        guard var next = reader.varint(), let runs = reader.varint(), runs <= UInt64(count),
            next > 0
        else { return nil }
        var sequences: [UInt64] = []
        sequences.reserveCapacity(count)
        for _ in 0..<runs {
            guard let gap = reader.varint(), let length = reader.varint(),
                length <= UInt64(count - sequences.count), gap < UInt64.max / 4,
                next < UInt64.max / 4
            else { return nil }
            next += gap
            sequences.append(contentsOf: next..<next + length)
            next += length
        }
        return sequences.count == count ? sequences : nil
    }

    private static func classes(_ count: Int, _ reader: inout ByteReader) -> [RecordClass]? {
        var classes: [RecordClass] = []
        classes.reserveCapacity(count)
        while classes.count < count {
            guard let value: UInt8 = reader.fixed(), let one = RecordClass(rawValue: value),
                let length = reader.varint(), length > 0,
                length <= UInt64(count - classes.count)
            else { return nil }
            classes.append(contentsOf: repeatElement(one, count: Int(length)))
        }
        return classes
    }

    private static func moments(
        _ count: Int, _ reader: inout ByteReader, times: inout [Timestamp]
    ) -> [UInt32]? {
        var moments: [UInt32] = []
        moments.reserveCapacity(count)
        var monotonic: Int64 = 0
        var step: Int64 = 0
        var wall: Int64 = 0
        while moments.count < count {
            guard let length = reader.varint(), length > 0,
                length <= UInt64(count - moments.count), let change = reader.zigzag(),
                let rest = reader.zigzag()
            else { return nil }
            step = step &+ change
            monotonic = monotonic &+ step
            wall = wall &+ (rest &+ step / 1_000_000)
            moments.append(
                contentsOf: repeatElement(UInt32(times.count), count: Int(length)))
            times.append(
                Timestamp(
                    monotonic: Instant(nanoseconds: monotonic),
                    wall: WallTime(milliseconds: wall)))
        }
        return moments
    }

    private static func tags(_ count: Int, _ reader: inout ByteReader, names: Int) -> [UInt32]? {
        var tags: [UInt32] = []
        tags.reserveCapacity(count)
        var previous: Int64 = -1
        while tags.count < count {
            guard let jump = reader.zigzag(), let length = reader.varint(), length > 0,
                length <= UInt64(count - tags.count)
            else { return nil }
            let first = previous &+ 1 &+ jump
            guard first >= 0, first < Int64(names), Int64(length) <= Int64(names) - first else {
                return nil
            }
            tags.append(contentsOf: UInt32(first)..<UInt32(first) + UInt32(length))
            previous = first + Int64(length) - 1
        }
        return tags
    }
}

extension Rows {
    mutating func reserve(_ count: Int) {
        sequences.reserveCapacity(count)
        classes.reserveCapacity(count)
        moments.reserveCapacity(count)
        tags.reserveCapacity(count)
        kinds.reserveCapacity(count)
        values.reserveCapacity(count)
    }
}
