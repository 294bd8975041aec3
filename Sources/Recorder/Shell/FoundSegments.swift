import Base
import Linux

/// The segments that there are, by their first pages.
struct FoundSegments {
    var segments: [Pool.Segment] = []
    var headers: [BlockHeader] = []
    var sizes: [Int: Int64] = [:]
    var unusableBytes: Int64 = 0

    init(_ files: [(name: String, bytes: Int64)], in directory: some RingDirectory)
        throws(SystemError)
    {
        let page = Int64(Limits.pageBytes)
        for (name, bytes) in files {
            guard let slot = FileName.slot(name) else { continue }
            var header: BlockHeader?
            do throws(SystemError) {
                let file = try directory.open(name)
                header = try Self.header(of: file)
            } catch {
                // A file that cannot be read is left alone, and not counted on.
                guard error.code == 5 else { throw error }
                unusableBytes += StorePlan.footprint(bytes)
                continue
            }
            guard header != nil || bytes >= 24 * page else {
                // Its making was cut off.
                try directory.remove(name)
                continue
            }
            sizes[slot] = bytes / page * page
            guard let header else { continue }
            headers.append(header)
            segments.append(
                Pool.Segment(
                    slot: slot, recordClass: header.recordClass, generation: header.generation,
                    firstSequence: header.firstSequence, firstOrdinal: header.ordinal,
                    bytes: bytes / page * page,
                    begun: header.form == .segment ? header.firstWall : nil))
        }
    }

    private static func header(of file: any RingFile) throws(SystemError) -> BlockHeader? {
        let page = try file.read(at: 0, count: Limits.pageBytes)
        if let header = BlockHeader(page[...]), header.form == .segment { return header }
        // The first block says the same, if the segment's own header is damaged.
        let first = try file.read(at: Int64(Limits.pageBytes), count: Limits.pageBytes)
        guard let header = BlockHeader(first[...]), header.form == .block else { return nil }
        // A life that was just being begun may have left the first block of the life before it.
        return header
    }
}
