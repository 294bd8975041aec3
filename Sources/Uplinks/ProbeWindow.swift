package import Base

/// The last probes of one uplink and what became of them: loss and round-trip times, for the status and for
/// the verdict about quality.
///
/// A reply that comes after its time-out heals the loss it was counted as.
package struct ProbeWindow: Sendable {
    /// Most probes that are remembered; an answer to an older one is not recognized any more.
    package static let probesMax = 512

    private struct Slot: Sendable {
        enum Outcome: Sendable {
            case pending, lost, withdrawn
            /// In nanoseconds: a `Duration` is twice as long, and slow to sort.
            case answered(after: Int64)
        }
        var sequence: UInt16
        var target: IPv4Address
        var sentAt: Instant
        var outcome: Outcome = .pending
    }

    /// A ring: the slots before `next` are the newest.
    private var slots: [Slot] = []
    private var next = 0
    /// How many of them are pending.
    private var pending = 0

    package init() {}

    package mutating func sent(_ sequence: UInt16, to target: IPv4Address, at now: Instant) {
        let slot = Slot(sequence: sequence, target: target, sentAt: now)
        if slots.count < Self.probesMax {
            slots.append(slot)
        } else {
            if case .pending = slots[next].outcome { pending -= 1 }
            slots[next] = slot
        }
        pending += 1
        next = (next + 1) % Self.probesMax
    }

    /// The probe was not answered in time.
    package mutating func lost(_ sequence: UInt16) {
        guard let index = index(of: sequence) else { return }
        end(index, as: .lost)
    }

    /// A suspicion is over: what is still on its way counts as lost, until its answer heals it.
    package mutating func allPendingLost() { endPending(as: .lost) }

    /// The probes on their way can tell nothing any more: their link went away.
    package mutating func allPendingWithdrawn() { endPending(as: .withdrawn) }

    private mutating func endPending(as outcome: Slot.Outcome) {
        var index = newest
        while pending > 0 {
            if case .pending = slots[index].outcome { end(index, as: outcome) }
            index = (index + Self.probesMax - 1) % Self.probesMax
        }
    }

    private mutating func end(_ index: Int, as outcome: Slot.Outcome) {
        if case .pending = slots[index].outcome { pending -= 1 }
        slots[index].outcome = outcome
    }

    /// Notes an answer and returns how long it took; nil if it answers no remembered probe, or one that
    /// was answered before.
    package mutating func answered(
        _ sequence: UInt16, from target: IPv4Address, at now: Instant
    ) -> Duration? {
        guard let index = index(of: sequence), slots[index].target == target else { return nil }
        switch slots[index].outcome {
        case .pending, .lost:
            let time = max(.zero, now - slots[index].sentAt)
            end(index, as: .answered(after: time.nanoseconds))
            return time
        case .answered, .withdrawn:
            return nil
        }
    }

    private func index(of sequence: UInt16) -> Int? {
        guard !slots.isEmpty else { return nil }
        // Almost always they were numbered one after the other.
        let age = Int(slots[newest].sequence &- sequence)
        if age < slots.count {
            let index = (newest + Self.probesMax - age) % Self.probesMax
            if slots[index].sequence == sequence { return index }
        }
        return slots.firstIndex { $0.sequence == sequence }
    }

    private var newest: Int { (next + Self.probesMax - 1) % Self.probesMax }

    /// Probes that are neither answered nor declared lost count as lost after this.
    package static let patience = Duration.seconds(1)
    /// Most probes that the status tells of.
    package static let recentMax = 60

    /// Newest first.
    private var newestFirst: some Sequence<Slot> {
        (0..<slots.count).lazy.map { [slots, next] in
            slots[(next + Self.probesMax - 1 - $0) % Self.probesMax]
        }
    }

    /// What became of the newest probes that were sent since a moment, `last` of them at most.
    package func measure(from begin: Instant, last: Int = probesMax, at now: Instant)
        -> QualityMeasure
    {
        var byTarget: [(target: IPv4Address, measure: QualityMeasure)] = []
        var times: [Int64] = []
        var ended = 0
        var lost = 0
        for slot in newestFirst {
            guard slot.sentAt >= begin, ended < last else { break }
            var isLost = false
            switch slot.outcome {
            case .withdrawn: continue
            case .pending:
                guard now - slot.sentAt >= Self.patience else { continue }
                isLost = true
            case .lost: isLost = true
            case .answered(let time): times.append(time)
            }
            ended += 1
            if isLost { lost += 1 }
            let index = byTarget.firstIndex { $0.target == slot.target } ?? byTarget.count
            if index == byTarget.count { byTarget.append((slot.target, QualityMeasure())) }
            byTarget[index].measure.probes += 1
            if isLost { byTarget[index].measure.lost += 1 }
        }
        // A target that was asked once in a while proves nothing about the others' losses.
        let asked = byTarget.lazy.map(\.measure).filter { $0.probes * byTarget.count * 2 >= ended }
        // Of two that lose as much the one that was asked more often.
        var best =
            asked.min { ($0.lossPercent, $1.probes) < ($1.lossPercent, $0.probes) }
            ?? QualityMeasure()
        // Unless one target loses less than half of what all lose, the line does, and all of its probes count.
        if best.lost * 2 * ended >= lost * best.probes {
            best.probes = ended
            best.lost = lost
        }
        best.lostOfAll = lost
        times.sort()
        if !times.isEmpty { best.roundTrip = .nanoseconds(times[times.count / 2]) }
        return best
    }

    /// Whether any probe since a moment was lost to a target that is not silent altogether.
    package func hasLoss(since begin: Instant, at now: Instant) -> Bool {
        for slot in newestFirst {
            guard slot.sentAt >= begin else { return false }
            switch slot.outcome {
            case .pending where now - slot.sentAt < Self.patience: continue
            case .withdrawn, .answered: continue
            case .pending, .lost:
                if lossesInARow(of: slot.target, upTo: 2, at: now) < 2 { return true }
            }
        }
        return false
    }

    /// The share of probes that were lost, in each of so many equal parts of the time since a moment; zero where none ended.
    package func lossShares(from begin: Instant, parts: Int, at now: Instant) -> [Double] {
        let silent = silent(least: Self.silentMin, at: now)
        let length = max(1, (now - begin).nanoseconds / Int64(parts))
        var ended = Array(repeating: 0, count: parts)
        var lost = ended
        for slot in newestFirst where !silent.contains(slot.target) {
            guard slot.sentAt >= begin else { break }
            let part = min(parts - 1, Int((slot.sentAt - begin).nanoseconds / length))
            switch slot.outcome {
            case .pending where now - slot.sentAt < Self.patience: continue
            case .withdrawn: continue
            case .pending, .lost: lost[part] += 1
            case .answered: break
            }
            ended[part] += 1
        }
        return zip(lost, ended).map { $1 == 0 ? 0 : Double($0) / Double($1) }
    }

    /// The newest probes, oldest first: how long each took, nil if it was lost; those under way are left out.
    package var history: [Duration?] {
        newestFirst.prefix(Self.recentMax).compactMap { slot -> Duration?? in
            switch slot.outcome {
            case .pending, .withdrawn: nil
            case .lost: .some(nil)
            case .answered(let time): .some(.nanoseconds(time))
            }
        }.reversed()
    }

    /// Mean difference between successive round-trip times (RFC 3393's delay variation, averaged).
    package var jitter: Duration? {
        let times = history.compactMap { $0 }
        guard times.count > 1 else { return nil }
        let sum = zip(times, times.dropFirst()).map { max($0, $1) - min($0, $1) }.reduce(
            .zero, +)
        return sum / (times.count - 1)
    }

    /// So many probes in a row are lost until a target counts as silent.
    package static let silentMin = 3

    /// The targets that answered none of the last probes they were sent.
    package func silentTargets(least: Int = silentMin, at now: Instant) -> Set<IPv4Address> {
        Set(silent(least: least, at: now))
    }

    /// Each once.
    private func silent(least: Int, at now: Instant) -> [IPv4Address] {
        var targets: [IPv4Address] = []
        for slot in slots where !targets.contains(slot.target) { targets.append(slot.target) }
        return targets.filter { lossesInARow(of: $0, upTo: least, at: now) >= least }
    }

    /// How many probes to a target went unanswered since its last answer; no more than `most` are counted.
    package func lossesInARow(of target: IPv4Address, upTo most: Int = .max, at now: Instant) -> Int
    {
        var losses = 0
        for slot in newestFirst where slot.target == target {
            switch slot.outcome {
            case .pending where now - slot.sentAt < Self.patience: continue
            case .withdrawn: continue
            case .pending, .lost:
                losses += 1
                if losses >= most { return losses }
            case .answered: return losses
            }
        }
        return losses
    }

    /// Mean time from probe to answer; nil while there is no answer in the window.
    package var roundTripTime: Duration? {
        let times = history.compactMap { $0 }
        guard !times.isEmpty else { return nil }
        return times.reduce(.zero, +) / times.count
    }

    /// Lost probes of every 100 that have ended; nil while none has.
    package var lossPercent: Double? {
        let outcomes = history
        guard !outcomes.isEmpty else { return nil }
        return 100 * Double(outcomes.count { $0 == nil }) / Double(outcomes.count)
    }
}
