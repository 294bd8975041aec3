package import Base

/// Which segment belongs to which class, which one takes the next block, and which must go to make room.
package struct Pool: Equatable, Sendable {
    package struct Segment: Equatable, Sendable {
        /// The file it lies in.
        package var slot: Int
        package var recordClass: RecordClass
        /// Goes up with every use of a file: never used twice, for the checksums depend on it.
        package var generation: UInt64
        package var firstSequence: UInt64
        /// How many records of its class there were before its first one.
        package var firstOrdinal: UInt64
        /// Where the next block goes, or where the last one ends.
        package var bytes: Int64
        /// By the wall clock, when it was begun; nil if its header is damaged.
        package var begun: WallTime?

        package init(
            slot: Int, recordClass: RecordClass, generation: UInt64, firstSequence: UInt64,
            firstOrdinal: UInt64, bytes: Int64, begun: WallTime?
        ) {
            self.slot = slot
            self.recordClass = recordClass
            self.generation = generation
            self.firstSequence = firstSequence
            self.firstOrdinal = firstOrdinal
            self.bytes = bytes
            self.begun = begun
        }
    }

    /// The end of what is sealed of a class.
    package struct Tail: Equatable, Sendable {
        /// 0 while the class has no segment.
        package var generation: UInt64 = 0
        package var offset: Int64 = 0
        /// Records of the class that were ever sealed.
        package var ordinal: UInt64 = 0
        /// Of its last sealed record.
        package var sequence: UInt64 = 0
        /// SHA-256 of its last block's header, cut to 16 bytes.
        package var hash: [UInt8] = [UInt8](repeating: 0, count: 16)

        package init() {}
    }

    /// The size of each file, by its slot.
    package private(set) var sizes: [Int: Int64]
    /// Oldest first, by class.
    package private(set) var segments: [[Segment]]
    package var tails: [Tail]
    /// Files that hold nothing that is needed.
    package private(set) var free: [Int]
    package private(set) var nextGeneration: UInt64
    /// How many files were found to fail.
    private var aside = 0
    private static let asideMax = 2

    package init(
        sizes: [Int: Int64], segments: [Segment] = [], tails: [Tail]? = nil,
        nextGeneration: UInt64 = 1
    ) {
        self.sizes = sizes
        self.segments = RecordClass.allCases.map { one in
            segments.filter { $0.recordClass == one }.sorted { $0.generation < $1.generation }
        }
        self.tails = tails ?? RecordClass.allCases.map { _ in Tail() }
        let used = Set(segments.map(\.slot))
        free = sizes.keys.filter { !used.contains($0) }.sorted(by: >)
        self.nextGeneration = nextGeneration
    }

    package subscript(_ recordClass: RecordClass) -> [Segment] {
        segments[Int(recordClass.rawValue)]
    }

    package subscript(tail recordClass: RecordClass) -> Tail {
        get { tails[Int(recordClass.rawValue)] }
        set { tails[Int(recordClass.rawValue)] = newValue }
    }

    /// Bytes of sealed blocks, and the segments' headers.
    package var bytes: Int64 { segments.joined().reduce(0) { $0 + $1.bytes } }

    /// What all files take.
    package var capacity: Int64 { sizes.values.reduce(0, +) }

    package func size(_ segment: Segment) -> Int64 { sizes[segment.slot] ?? 0 }

    /// Whether the newest segment of a class has room for a block.
    package func hasRoom(_ recordClass: RecordClass, for bytes: Int) -> Bool {
        guard let last = self[recordClass].last else { return false }
        return last.bytes + Int64(bytes) <= size(last)
    }

    /// What a class takes beyond its share; below zero if it has a right to more.
    package func excess(_ recordClass: RecordClass) -> Int64 {
        let taken = self[recordClass].reduce(0) { $0 + size($1) }
        return taken - capacity * Int64(recordClass.sharePercent) / 100
    }

    /// The segment to give up when a class needs room and no file is free: the oldest of the class that is
    /// most over its share. Nil `recordClass`: when the ring shrinks.
    package func victim(for recordClass: RecordClass?) -> Segment? {
        var chosen: RecordClass?
        var most = Int64.min
        for candidate in RecordClass.allCases {
            let count = self[candidate].count
            // The only segment of another class is the one that it is filling.
            guard count > (candidate == recordClass || recordClass == nil ? 0 : 1) else { continue }
            let excess = excess(candidate)
            if excess >= most {
                most = excess
                chosen = candidate
            }
        }
        return chosen.flatMap { self[$0].first }
    }

    /// The segment is given up: its file is free.
    package mutating func remove(_ segment: Segment) {
        segments[Int(segment.recordClass.rawValue)].removeAll {
            $0.generation == segment.generation
        }
        free.append(segment.slot)
    }

    /// A file that is no more.
    package mutating func dropFile(slot: Int) {
        free.removeAll { $0 == slot }
        sizes[slot] = nil
    }

    /// A file that was made since.
    package mutating func addFile(slot: Int, bytes: Int64) {
        free.append(slot)
        sizes[slot] = bytes
    }

    /// A free file takes part no more: it cannot be written. If it is not the only one, all are worth trying:
    /// then it is the disk that fails.
    package mutating func setAside(slot: Int) {
        guard aside < Self.asideMax else { return }
        aside += 1
        free.removeAll { $0 == slot }
    }

    /// Undoes what was begun since `before`, but for what was given up meanwhile.
    package mutating func restore(_ before: Pool) {
        for recordClass in RecordClass.allCases {
            let index = Int(recordClass.rawValue)
            for segment in segments[index] where segment.generation >= before.nextGeneration {
                free.append(segment.slot)
            }
            let kept = Set(segments[index].map(\.generation))
            segments[index] = before.segments[index].filter { kept.contains($0.generation) }
            tails[index] = before.tails[index]
        }
    }

    /// Takes a free file for a class; nil if there is none.
    package mutating func begin(
        _ recordClass: RecordClass, firstSequence: UInt64, firstOrdinal: UInt64, at wall: WallTime
    ) -> Segment? {
        guard let slot = free.popLast() else { return nil }
        let segment = Segment(
            slot: slot, recordClass: recordClass, generation: nextGeneration,
            firstSequence: firstSequence, firstOrdinal: firstOrdinal,
            bytes: Int64(Limits.pageBytes), begun: wall)
        nextGeneration += 1
        segments[Int(recordClass.rawValue)].append(segment)
        return segment
    }

    /// A block was written at the end of the newest segment of a class.
    package mutating func blockWritten(
        _ recordClass: RecordClass, bytes: Int, records: Int, lastSequence: UInt64, hash: [UInt8]
    ) {
        let index = Int(recordClass.rawValue)
        let last = segments[index].count - 1
        precondition(last >= 0, "a block goes to a segment that was begun")
        segments[index][last].bytes += Int64(bytes)
        tails[index].generation = segments[index][last].generation
        tails[index].offset = segments[index][last].bytes
        tails[index].ordinal += UInt64(records)
        tails[index].sequence = lastSequence
        tails[index].hash = hash
    }

    /// Where the blocks of the newest segment of a class end.
    package mutating func setTail(_ recordClass: RecordClass, _ tail: Tail) {
        let index = Int(recordClass.rawValue)
        tails[index] = tail
        guard !segments[index].isEmpty else { return }
        segments[index][segments[index].count - 1].bytes = tail.offset
    }

    /// The newest segment of a class takes no more blocks: its file fails.
    package mutating func closeNewest(_ recordClass: RecordClass) {
        let index = Int(recordClass.rawValue)
        guard let last = segments[index].last else { return }
        segments[index][segments[index].count - 1].bytes = size(last)
    }

    /// The place, in a class, of the segment that holds a sequence, or of the first one after it.
    package func index(_ recordClass: RecordClass, holding sequence: UInt64) -> Int? {
        let list = self[recordClass]
        guard !list.isEmpty else { return nil }
        let later = list.firstIndex { $0.firstSequence > sequence } ?? list.count
        return max(0, later - 1)
    }

    package var firstSequence: UInt64? { segments.compactMap { $0.first?.firstSequence }.min() }
    package var oldest: WallTime? { segments.joined().compactMap(\.begun).min() }
}
