package import Base

/// The four tables of a Modbus machine.
package enum RegisterTable: Int, Sendable {
    case coil, discrete, input, holding

    package var isBits: Bool {
        switch self {
        case .coil, .discrete: true
        case .input, .holding: false
        }
    }
}

/// When which registers are read.
///
/// Every period has its own fixed grid, multiples of it since boot: polls do not drift, and tags of
/// equal or multiple periods are read together. Polls that could not be made are skipped and counted.
package struct PollPlan: Sendable {
    /// A tag, as far as reading it goes.
    package struct Item: Equatable, Sendable {
        package var table: RegisterTable
        package var address: Int
        package var count: Int
        package var every: Duration

        package init(table: RegisterTable, address: Int, count: Int, every: Duration) {
            self.table = table
            self.address = address
            self.count = count
            self.every = every
        }
    }

    /// One request to the machine, and the tags that it answers.
    package struct Read: Equatable, Sendable {
        package var table: RegisterTable
        package var address: Int
        package var count: Int
        /// Places in `items`.
        package var tags: [Int]

        package init(table: RegisterTable, address: Int, count: Int, tags: [Int]) {
            self.table = table
            self.address = address
            self.count = count
            self.tags = tags
        }
    }

    package let items: [Item]
    private var nextDue: [Instant]
    /// Tags that are read alone, since the machine refused what lies between them and others.
    private var alone: Set<Int> = []

    /// A plan whose first poll, of all tags, is due at once.
    package init(_ items: [Item], at now: Instant) {
        self.items = items
        nextDue = items.map { _ in now }
    }

    /// When the next poll is due; nil if there is nothing to read.
    package var nextPoll: Instant? { nextDue.min() }

    /// The tags that are due, and how many readings of them were missed since they were last read.
    package mutating func takeDue(at now: Instant) -> (tags: [Int], missed: Int) {
        var tags: [Int] = []
        var missed = 0
        for (index, item) in items.enumerated() where nextDue[index] <= now {
            let period = max(1, item.every.nanoseconds)
            let turn = now.nanoseconds / period
            missed += Int(turn - nextDue[index].nanoseconds / period)
            nextDue[index] = Instant(nanoseconds: (turn + 1) * period)
            tags.append(index)
        }
        return (tags, missed)
    }

    /// The requests that read these tags: neighbours together, across small gaps.
    package func reads(_ tags: [Int]) -> [Read] {
        let sorted = tags.sorted {
            (items[$0].table.rawValue, items[$0].address, $0)
                < (items[$1].table.rawValue, items[$1].address, $1)
        }
        var reads: [Read] = []
        for tag in sorted {
            let item = items[tag]
            if let last = reads.last, canJoin(last, tag) {
                let end = max(last.address + last.count, item.address + item.count)
                reads[reads.count - 1].count = end - last.address
                reads[reads.count - 1].tags.append(tag)
            } else {
                reads.append(
                    Read(
                        table: item.table, address: item.address, count: item.count, tags: [tag]))
            }
        }
        return reads
    }

    private func canJoin(_ read: Read, _ tag: Int) -> Bool {
        let item = items[tag]
        let (countMax, gapMax) =
            item.table.isBits
            ? (Limits.readBitsMax, Limits.gapBitsMax)
            : (Limits.readRegistersMax, Limits.gapRegistersMax)
        return read.table == item.table && !alone.contains(tag)
            && !read.tags.contains(where: alone.contains)
            && item.address <= read.address + read.count + gapMax
            && item.address + item.count - read.address <= countMax
    }

    /// The machine refused a read: from now on its tags are read one by one, so that only those suffer
    /// whose own registers it does not have. Returns whether that makes a difference.
    package mutating func readRefused(_ read: Read) -> Bool {
        guard read.tags.count > 1 else { return false }
        alone.formUnion(read.tags)
        return true
    }
}
