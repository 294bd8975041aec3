package import Base
package import Linux

/// Whole blocks, for `Consumer.bulk`: in each class they are given in order, and `blockHeads` says which is next. The
/// cursor follows: everything up to it was delivered, in all classes.
extension RingStore {
    /// Everything up to here lies in blocks that are on flash.
    package var sealedThrough: UInt64 { (open.sequences.first ?? nextSequence) - 1 }

    /// Of the blocks that were not delivered, the one that begins first; nil: all were.
    ///
    /// Damaged ones are passed over, and told as lost.
    package mutating func nextBlock() throws(SystemError) -> StoredBlock? {
        guard let cursor = sequence(of: .bulk) else { return nil }
        for head in heads(at: cursor + 1)
        where !blockHeads.contains(where: { $0.recordClass == head.recordClass }) {
            blockHeads.append(head)
        }
        while true {
            var chosen: (index: Int, found: SegmentWalker.Found, walker: SegmentWalker)?
            for index in blockHeads.indices {
                guard let next = try next(in: index, after: cursor) else { continue }
                let least = chosen?.found.header.firstSequence ?? .max
                if next.found.header.firstSequence < least {
                    chosen = (index, next.found, next.walker)
                }
            }
            guard let chosen else { return nil }
            let block = try? BlockReader(chosen.found, in: chosen.walker.file, namesOnly: false)
            if let block, block.isWhole {
                return StoredBlock(
                    name: chosen.found.header.fileName, bytes: block.bytes,
                    records: block.header.rows,
                    sequences: block.header.firstSequence...block.header.lastSequence)
            }
            tellDamaged(chosen.found, chosen.walker.segment)
            blockHeads[chosen.index].go(to: chosen.walker)
        }
    }

    /// This block was delivered: the cursor goes on to where something is missing.
    package mutating func blockDelivered(_ block: StoredBlock) throws(SystemError) {
        guard let cursor = sequence(of: .bulk) else { return }
        var reached = sealedThrough
        for index in blockHeads.indices {
            guard var next = try next(in: index, after: cursor) else { continue }
            if next.found.header.fileName == block.name {
                blockHeads[index].go(to: next.walker)
                guard let after = try self.next(in: index, after: cursor) else {
                    continue
                }
                next = after
            }
            reached = min(reached, next.found.header.firstSequence - 1)
        }
        acknowledge(through: reached, by: .bulk)
    }

    /// Whether a block was delivered, though the cursor is not past it yet.
    func wasDelivered(_ header: BlockHeader, to consumer: Consumer) -> Bool {
        guard consumer == .bulk,
            let head = blockHeads.first(where: { $0.recordClass == header.recordClass })
        else { return false }
        return header.ordinal < head.ordinal
    }

    /// Nobody gets whole blocks any more.
    package mutating func forgetBlocks() {
        _ = removeCursor(Consumer.bulkName)
        blockHeads = []
    }

    /// The next block of a head's class that holds something after `sequence`, and a walker that stands behind it; the
    /// head stays before it.
    private mutating func next(in place: Int, after sequence: UInt64)
        throws(SystemError) -> (found: SegmentWalker.Found, walker: SegmentWalker)?
    {
        var head = blockHeads[place]
        defer { blockHeads[place] = head }
        while true {
            let list = pool[head.recordClass]
            guard let index = list.firstIndex(where: { $0.generation == head.segment.generation })
            else {
                // It was overwritten, and told as lost: the oldest one that is left follows.
                guard let oldest = list.first else { return nil }
                head.begin(oldest)
                continue
            }
            var walker = try SegmentWalker(list[index], directory, store: store)
            walker.go(to: head.offset, ordinal: head.ordinal, sequence: head.sequence)
            while let found = try walker.next(before: list[index].bytes) {
                if found.missing > 0 { tellMissing(found, list[index]) }
                if found.header.form == .block, found.header.lastSequence > sequence,
                    !damage.isTold(list[index], at: found.offset)
                {
                    return (found, walker)
                }
                head.go(to: walker)
            }
            tellMissingEnd(head, index: index)
            guard index + 1 < list.count else { return nil }
            head.begin(list[index + 1])
        }
    }
}

extension ReadPosition.Head {
    fileprivate mutating func go(to walker: SegmentWalker) {
        (offset, ordinal, sequence) = (walker.offset, walker.ordinal, walker.sequence)
    }

    fileprivate mutating func begin(_ segment: Pool.Segment) {
        self.segment = segment
        offset = Int64(Limits.pageBytes)
        ordinal = segment.firstOrdinal
        sequence = segment.firstSequence - 1
    }
}
