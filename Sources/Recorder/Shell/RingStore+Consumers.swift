import Base

extension RingStore {
    var consumers: [Consumer] { [.cloud] + notes.cursors.map { .reader($0.name) } }

    /// Up to where a consumer has acknowledged; nil: there is no such cursor.
    package func sequence(of consumer: Consumer) -> UInt64? {
        switch consumer {
        case .cloud: cursor
        case .reader(let name): notes.cursors.first { $0.name == name }?.sequence
        }
    }

    /// Readings that a consumer will never get.
    package func lost(by consumer: Consumer) -> UInt64 {
        switch consumer {
        case .cloud: lost
        case .reader(let name): notes.cursors.first { $0.name == name }?.lost ?? 0
        }
    }

    /// The cursors that there are, besides the cloud's.
    package var namedCursors: [NamedCursor] { notes.cursors }

    /// Begins a cursor that has read up to a sequence; one that is there already stays where it is.
    package mutating func addCursor(_ name: String, at sequence: UInt64) throws(CursorRefusal) {
        guard NamedCursor.isName(name) else { throw .badName }
        guard !notes.cursors.contains(where: { $0.name == name }) else { return }
        guard notes.cursors.count < Limits.cursorsMax else { throw .tooMany }
        notes.cursors.append(NamedCursor(name: name, sequence: min(sequence, deliverableThrough)))
    }

    /// False if there is none of that name.
    package mutating func removeCursor(_ name: String) -> Bool {
        guard let index = notes.cursors.firstIndex(where: { $0.name == name }) else { return false }
        notes.cursors.remove(at: index)
        pendingLosses[.reader(name)] = nil
        return true
    }

    /// A consumer has everything up to `sequence`; told again, nothing happens.
    package mutating func acknowledge(through sequence: UInt64, by consumer: Consumer = .cloud) {
        let sequence = min(sequence, deliverableThrough)
        switch consumer {
        case .cloud: cursor = max(cursor, sequence)
        case .reader(let name):
            guard let index = notes.cursors.firstIndex(where: { $0.name == name }) else { return }
            notes.cursors[index].sequence = max(notes.cursors[index].sequence, sequence)
        }
    }

    /// Nobody will ever get this: it was not even given a sequence.
    package mutating func lose(_ report: LossReport) {
        for consumer in consumers { lose(report, for: consumer) }
    }

    /// A consumer will not get something that no record tells of yet.
    ///
    /// `new` is how many of it were not counted before.
    mutating func lose(_ report: LossReport, for consumer: Consumer, new: UInt64? = nil) {
        guard report.count > 0 else { return }
        switch consumer {
        case .cloud: lost += new ?? report.count
        case .reader(let name):
            guard let index = notes.cursors.firstIndex(where: { $0.name == name }) else { return }
            notes.cursors[index].lost += new ?? report.count
        }
        guard pendingLosses[consumer] != nil else {
            pendingLosses[consumer] = report
            return
        }
        pendingLosses[consumer]?.merge(report)
    }

    mutating func lose(_ readings: ArraySlice<Reading>, reason: String) {
        var report = LossReport(reason: reason)
        for reading in readings { report.add(reading) }
        lose(report)
    }

    /// Puts what was lost among the records, as events.
    package mutating func takePendingLoss() {
        guard !pendingLosses.isEmpty else { return }
        let time = now()
        for consumer in consumers {
            guard var report = pendingLosses[consumer] else { continue }
            report.total = lost(by: consumer)
            for piece in report.pieces { add(piece.reading(at: time, tag: consumer.lossTag)) }
        }
        pendingLosses.removeAll()
    }

    private mutating func add(_ loss: Reading) {
        guard Self.accepts(loss) else { return }
        if frameTextBytes > Limits.frameTextBytesMax / 2, writeTrouble == nil {
            writeFrame(usingReserve: true, canSeal: false)
            closeFrame()
        }
        if case .string(let text) = loss.value { frameTextBytes += text.utf8.count }
        open.append(loss, sequence: nextSequence, recordClass: .event)
        nextSequence += 1
    }
}
