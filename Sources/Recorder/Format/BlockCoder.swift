import Base

/// Rows as two sections of bytes, each compressed and checked by itself: whose they are, and what they say.
///
///     names:  sources, tags by source, and with `tallies` how many records of each and of which time
///     data:   sequences, classes and times as runs; tags as runs of successive ones; then a column a tag
package enum BlockCoder {
    /// What a block says of one tag without its data being read.
    package struct Tally: Equatable, Sendable {
        package var name: TagName
        package var count: Int

        package init(name: TagName, count: Int) {
            self.name = name
            self.count = count
        }
    }

    /// Some names as a section, with the number of each one's records.
    package static func names(_ list: ArraySlice<TagName>, counts: [Int]) -> [UInt8] {
        var writer = ByteWriter()
        var sources: [String: UInt64] = [:]
        var body = ByteWriter()
        for (name, count) in zip(list, counts) {
            let source = sources[name.source] ?? UInt64(sources.count)
            body.varint(source)
            // A source is told where it is first needed.
            if sources[name.source] == nil {
                sources[name.source] = source
                body.text(name.source)
            }
            body.text(name.tag)
            body.varint(UInt64(count))
        }
        writer.varint(UInt64(list.count))
        writer.bytes += body.bytes
        return writer.bytes
    }

    package static func tallies(_ bytes: ArraySlice<UInt8>) -> [Tally]? {
        var reader = ByteReader(bytes)
        return tallies(&reader)
    }

    static func tallies(_ reader: inout ByteReader) -> [Tally]? {
        guard let count = reader.varint(), count <= UInt64(Limits.namesMax),
            count <= UInt64(reader.rest)
        else { return nil }
        var sources: [String] = []
        var list: [Tally] = []
        for _ in 0..<count {
            guard let source = reader.varint(), source <= UInt64(sources.count) else { return nil }
            if source == UInt64(sources.count) {
                guard let text = reader.text(bytesMax: Limits.nameBytesMax) else { return nil }
                sources.append(text)
            }
            guard let tag = reader.text(bytesMax: Limits.nameBytesMax),
                let records = reader.varint(), records <= UInt64(Limits.blockRowsMax)
            else { return nil }
            list.append(
                Tally(
                    name: TagName(source: sources[Int(source)], tag: tag), count: Int(records)))
        }
        return list
    }

    /// The names of these rows, numbered anew in the order of their appearance: `map` leads from the numbers of
    /// `rows.names` to the new ones.
    package static func renumber(_ rows: Rows, _ picks: [Int]) -> (
        names: [TagName], counts: [Int], map: [UInt32]
    ) {
        var map = [UInt32](repeating: .max, count: rows.names.count)
        var names: [TagName] = []
        var counts: [Int] = []
        for row in picks {
            let tag = Int(rows.tags[row])
            if map[tag] == .max {
                map[tag] = UInt32(names.count)
                names.append(rows.names.list[tag])
                counts.append(0)
            }
            counts[Int(map[tag])] += 1
        }
        return (names, counts, map)
    }

    /// The data section of these rows, which are not none; `map` gives the number of each name in the block.
    package static func data(_ rows: Rows, _ picks: [Int], map: [UInt32]) -> [UInt8] {
        var head = ByteWriter()
        head.varint(UInt64(picks.count))
        sequenceRuns(rows, picks, &head)
        classRuns(rows, picks, &head)
        timeRuns(rows, picks, &head)
        tagRuns(rows, picks, map, &head)
        let columns = columns(rows, picks, map)
        head.varint(UInt64(columns.shape.bytes.count))
        return head.bytes + columns.shape.bytes + columns.values.bytes
    }

    private static func sequenceRuns(_ rows: Rows, _ picks: [Int], _ head: inout ByteWriter) {
        var runs = ByteWriter()
        var count: UInt64 = 0
        var expected = rows.sequences[picks[0]]
        head.varint(expected)
        var gap: UInt64 = 0
        var length: UInt64 = 0
        for row in picks {
            let sequence = rows.sequences[row]
            if sequence != expected {
                runs.varint(gap)
                runs.varint(length)
                count += 1
                gap = sequence - expected
                length = 0
            }
            length += 1
            expected = sequence + 1
        }
        runs.varint(gap)
        runs.varint(length)
        head.varint(count + 1)
        head.bytes += runs.bytes
    }

    private static func classRuns(_ rows: Rows, _ picks: [Int], _ head: inout ByteWriter) {
        var place = 0
        while place < picks.count {
            let value = rows.classes[picks[place]]
            var end = place + 1
            while end < picks.count, rows.classes[picks[end]] == value { end += 1 }
            head.bytes.append(value.rawValue)
            head.varint(UInt64(end - place))
            place = end
        }
    }

    private static func timeRuns(_ rows: Rows, _ picks: [Int], _ head: inout ByteWriter) {
        var monotonic: Int64 = 0
        var step: Int64 = 0
        var wall: Int64 = 0
        var place = 0
        while place < picks.count {
            let moment = rows.moments[picks[place]]
            var end = place + 1
            while end < picks.count, rows.moments[picks[end]] == moment { end += 1 }
            let time = rows.times[Int(moment)]
            let newStep = time.monotonic.nanoseconds &- monotonic
            let milliseconds = time.wall.milliseconds &- wall
            head.varint(UInt64(end - place))
            head.zigzag(newStep &- step)
            // The wall clock mostly goes on as the monotonic one.
            head.zigzag(milliseconds &- newStep / 1_000_000)
            step = newStep
            monotonic = time.monotonic.nanoseconds
            wall = time.wall.milliseconds
            place = end
        }
    }

    private static func tagRuns(
        _ rows: Rows, _ picks: [Int], _ map: [UInt32], _ head: inout ByteWriter
    ) {
        var place = 0
        var previous: Int64 = -1
        while place < picks.count {
            let first = Int64(map[Int(rows.tags[picks[place]])])
            var end = place + 1
            while end < picks.count,
                Int64(map[Int(rows.tags[picks[end]])]) == first + Int64(end - place)
            {
                end += 1
            }
            head.zigzag(first - previous - 1)
            head.varint(UInt64(end - place))
            previous = first + Int64(end - place) - 1
            place = end
        }
    }

    private static func columns(_ rows: Rows, _ picks: [Int], _ map: [UInt32]) -> ColumnEncoder {
        // A counting sort by tag: each tag's values beside each other, in the order of time.
        let last = map.reduce(0) { $1 == .max ? $0 : max($0, $1) }
        var starts = [Int](repeating: 0, count: Int(last) + 2)
        for row in picks { starts[Int(map[Int(rows.tags[row])]) + 1] += 1 }
        for index in 1..<starts.count { starts[index] += starts[index - 1] }
        var next = starts
        var kinds = [UInt8](repeating: 0, count: picks.count)
        var bits = [UInt64](repeating: 0, count: picks.count)
        for row in picks {
            let tag = Int(map[Int(rows.tags[row])])
            kinds[next[tag]] = rows.kinds[row]
            bits[next[tag]] = rows.values[row]
            next[tag] += 1
        }
        var encoder = ColumnEncoder()
        let texts = rows.texts
        kinds.withUnsafeBufferPointer { kinds in
            bits.withUnsafeBufferPointer { bits in
                for tag in 0..<starts.count - 1 where starts[tag] < starts[tag + 1] {
                    let range = starts[tag]..<starts[tag + 1]
                    encoder.add(
                        kinds: UnsafeBufferPointer(rebasing: kinds[range]),
                        bits: UnsafeBufferPointer(rebasing: bits[range]),
                        texts: texts)
                }
            }
        }
        return encoder
    }
}
