import Base
import Linux

/// What the files of a directory say when the daemon starts: the ring as it was, its torn end cut off.
///
/// Reads the header of every segment and the frames of the last one, whatever the size of the store.
/// Damage in the others is found when they are read.
struct Recovery {
    private(set) var store: StoreID
    private(set) var ring: Ring
    private(set) var file: (any RingFile)?
    private(set) var cursor: UInt64 = 0
    private(set) var lost: UInt64 = 0
    private(set) var newest: WallTime?
    private(set) var damagedFrames = 0
    /// Bytes that a power cut left half-written at the end.
    private(set) var tornBytes: Int64 = 0
    /// Whether there was no cursor file, or none that could be used.
    private(set) var cursorIsMissing = false
    private(set) var cursorWasDamaged = false

    private struct Found {
        var number: UInt64
        var bytes: Int64
        var header: SegmentHeader?
        var firstSequence: UInt64?
    }

    init(_ directory: some RingDirectory, plan: RingPlan) throws(SystemError) {
        let files = try directory.list()
        var found = try Self.segments(files, in: directory)
        let cursorFile = Self.cursor(in: directory)
        let isNamed = files.contains { $0.name == CursorFile.name }
        store = found.last { $0.header != nil }?.header?.store ?? cursorFile?.store ?? .random()
        for index in found.indices where found[index].header?.store != store {
            found[index].header = nil
        }
        if let cursorFile, cursorFile.store == store { cursor = cursorFile.through }
        cursorIsMissing = cursorFile?.store != store
        cursorWasDamaged = isNamed && cursorIsMissing

        ring = Ring(plan: plan)
        var next: UInt64 = 1
        var isOpen = false
        while let last = found.last {
            let end = try scan(last, in: directory)
            guard end.frames > 0 || last.header != nil else {
                // Nothing in it can be told: the remains of a segment that was just being begun.
                damagedFrames += last.bytes > 0 ? 1 : 0
                try directory.remove(SegmentName.text(last.number))
                found.removeLast()
                continue
            }
            next = max(end.next, last.header?.firstSequence ?? 1)
            lost = max(end.lost, last.header?.lost ?? 0)
            isOpen = last.header != nil && end.bytes <= plan.segmentBytes
            file = try directory.open(SegmentName.text(last.number))
            if end.bytes < last.bytes { try file?.truncate(to: end.bytes) }
            try file?.sync()
            found[found.count - 1].bytes = end.bytes
            break
        }
        next = max(next, cursor + 1)
        let foreign = files.filter {
            SegmentName.number($0.name) == nil && !$0.name.hasPrefix(CursorFile.name)
        }.reduce(0) { $0 + RingPlan.footprint($1.bytes) }
        guard plan.budget - foreign >= 3 * plan.segmentBytes else {
            throw SystemError(
                "keep records in \(directory.path), other files there take the room", code: 28)
        }
        ring = Ring(
            plan: plan, segments: try Self.resolve(found, next: next, store, in: directory),
            isOpen: isOpen, nextSequence: next, foreignBytes: foreign)
        if !isOpen { file = nil }
    }

    private static func segments(
        _ files: [(name: String, bytes: Int64)], in directory: some RingDirectory
    ) throws(SystemError) -> [Found] {
        var found: [Found] = []
        for (name, bytes) in files {
            guard let number = SegmentName.number(name) else { continue }
            let start = try directory.open(name).read(at: 0, count: SegmentHeader.bytes)
            let header = SegmentHeader(start).flatMap { $0.number == number ? $0 : nil }
            found.append(Found(number: number, bytes: bytes, header: header))
        }
        return found.sorted { $0.number < $1.number }
    }

    private static func cursor(in directory: some RingDirectory) -> CursorFile? {
        // Unreadable or damaged: everything that is still there is delivered again.
        (try? directory.read(CursorFile.name)).flatMap { CursorFile($0) }
    }

    private struct End {
        var frames = 0
        var next: UInt64 = 1
        var bytes = Int64(SegmentHeader.bytes)
        var lost: UInt64 = 0
    }

    /// Finds where the frames of the last segment end.
    private mutating func scan(_ found: Found, in directory: some RingDirectory)
        throws(SystemError) -> End
    {
        var end = End()
        let file = try directory.open(SegmentName.text(found.number))
        var reader = SegmentReader(file: file, number: found.number, store: store)
        var lastFrame: SegmentReader.Frame?
        while let frame = try reader.next(before: found.bytes) {
            damagedFrames += reader.takeDamages()
            end.frames += 1
            end.next = frame.header.lastSequence + 1
            end.bytes = frame.end
            lastFrame = frame
            // A loss record always has a frame of its own.
            if frame.header.count == 1, let record = reader.records(of: frame).first {
                end.lost = max(end.lost, LossReport(record.reading)?.total ?? 0)
            }
        }
        newest = lastFrame.flatMap { reader.records(of: $0).last }?.reading.time.wall
        tornBytes += max(0, found.bytes - end.bytes)
        return end
    }

    /// Finds the first sequence also of those segments whose header is damaged.
    private static func resolve(
        _ found: [Found], next: UInt64, _ store: StoreID, in directory: some RingDirectory
    ) throws(SystemError) -> [Ring.Segment] {
        var segments: [Ring.Segment] = []
        var following = next
        for segment in found.reversed() {
            var first = segment.header?.firstSequence
            if first == nil {
                let file = try directory.open(SegmentName.text(segment.number))
                var reader = SegmentReader(file: file, number: segment.number, store: store)
                first = try reader.next(before: segment.bytes)?.header.firstSequence
            }
            following = min(first ?? following, following)
            segments.append(
                Ring.Segment(
                    number: segment.number, firstSequence: following, bytes: segment.bytes,
                    begun: segment.header.map { WallTime(milliseconds: $0.wallMilliseconds) }))
        }
        return segments.reversed()
    }
}

extension StoreID {
    /// A new store's identity.
    fileprivate static func random() -> StoreID {
        StoreID(high: .random(in: .min ... .max), low: .random(in: .min ... .max))
    }
}
