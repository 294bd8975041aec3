package import Base
package import Linux

/// Where the consumer reads: kept open between batches, so that reading on is reading on.
struct ReadPosition {
    var reader: SegmentReader
    /// Decoded, not yet handed out.
    var pending: ArraySlice<Record> = []
    /// The sequence to hand out next.
    var next: UInt64

    var number: UInt64 { reader.number }
}

extension RingStore {
    /// The records after a sequence, in order: at most `limit`, and about `Limits.batchBytesMax` of them.
    package mutating func batch(after sequence: UInt64, limit: Int) throws(SystemError)
        -> [Record]
    {
        let through = deliverableThrough
        guard sequence < through, limit > 0 else { return [] }
        if position?.next != sequence + 1 { position = try seek(sequence + 1) }
        guard var place = position else { return [] }
        position = nil
        let limit = min(limit, Limits.batchRecordsMax)
        var records: [Record] = []
        var bytes = 0
        while records.count < limit, bytes < Limits.batchBytesMax {
            if let record = place.pending.first {
                guard record.sequence <= through else { break }
                place.pending.removeFirst()
                tellGap(from: place.next, to: record.sequence)
                place.next = record.sequence + 1
                records.append(record)
            } else {
                guard let added = try advance(&place) else { break }
                bytes += added
            }
        }
        position = place
        return records
    }

    private func seek(_ sequence: UInt64) throws(SystemError) -> ReadPosition? {
        guard let index = ring.index(holding: sequence) else { return nil }
        let reader = try reader(ring.segments[index].number)
        return ReadPosition(reader: reader, next: max(sequence, ring.segments[0].firstSequence))
    }

    private func reader(_ number: UInt64) throws(SystemError) -> SegmentReader {
        let file = try directory.open(SegmentName.text(number))
        return SegmentReader(file: file, number: number, store: store)
    }

    /// Decodes the next frame that has something to hand out; returns its bytes, nil at the end of the ring.
    private mutating func advance(_ place: inout ReadPosition) throws(SystemError) -> Int? {
        while let index = ring.segments.firstIndex(where: { $0.number == place.number }) {
            let segment = ring.segments[index]
            let following = index + 1 < ring.segments.count ? ring.segments[index + 1] : nil
            var frame: SegmentReader.Frame?
            do throws(SystemError) {
                frame = try place.reader.next(before: segment.bytes)
            } catch {
                // A bad block costs the rest of its segment, not the delivery of the others.
                guard following != nil else { throw error }
                damagedFrames += 1
            }
            damagedFrames += place.reader.takeDamages()
            if let frame {
                guard frame.header.lastSequence >= place.next else { continue }
                let next = place.next
                place.pending = place.reader.records(of: frame).drop { $0.sequence < next }
                return frame.bytes.count
            }
            guard let following else { return nil }
            place.reader = try reader(following.number)
        }
        return nil
    }

    /// Tells the consumer of records that were in the ring and could not be read.
    private mutating func tellGap(from expected: UInt64, to found: UInt64) {
        let first = max(expected, cursor + 1, gapsToldThrough + 1)
        guard first < found else { return }
        var report = LossReport(reason: "damaged on flash")
        report.include(sequences: first...found - 1)
        report.count = found - first
        gapsToldThrough = found - 1
        lose(report, new: report.count)
    }
}
