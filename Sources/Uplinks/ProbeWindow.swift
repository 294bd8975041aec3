package import Base

/// The last probes of one uplink and what became of them: loss and round-trip time for the status.
///
/// A reply that comes after its time-out heals the loss it was counted as.
package struct ProbeWindow: Sendable {
    /// Most probes that are remembered; an answer to an older one is not recognized any more.
    package static let probesMax = 60

    private struct Slot: Sendable {
        enum Outcome: Sendable {
            case pending, lost, withdrawn
            case answered(after: Duration)
        }
        var sequence: UInt16
        var target: IPv4Address
        var sentAt: Instant
        var outcome: Outcome = .pending
    }

    /// A ring: the slots before `next` are the newest.
    private var slots: [Slot] = []
    private var next = 0

    package init() {}

    package mutating func sent(_ sequence: UInt16, to target: IPv4Address, at now: Instant) {
        let slot = Slot(sequence: sequence, target: target, sentAt: now)
        if slots.count < Self.probesMax {
            slots.append(slot)
        } else {
            slots[next] = slot
        }
        next = (next + 1) % Self.probesMax
    }

    /// The probe was not answered in time.
    package mutating func lost(_ sequence: UInt16) {
        guard let index = index(of: sequence) else { return }
        slots[index].outcome = .lost
    }

    /// A suspicion is over: what is still on its way counts as lost, until its answer heals it.
    package mutating func allPendingLost() { endPending(as: .lost) }

    /// The probes on their way can tell nothing any more: their link went away.
    package mutating func allPendingWithdrawn() { endPending(as: .withdrawn) }

    private mutating func endPending(as outcome: Slot.Outcome) {
        for index in slots.indices {
            if case .pending = slots[index].outcome { slots[index].outcome = outcome }
        }
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
            slots[index].outcome = .answered(after: time)
            return time
        case .answered, .withdrawn:
            return nil
        }
    }

    private func index(of sequence: UInt16) -> Int? {
        // Almost always it is the newest.
        let newest = (next + Self.probesMax - 1) % Self.probesMax
        if newest < slots.count, slots[newest].sequence == sequence { return newest }
        return slots.firstIndex { $0.sequence == sequence }
    }

    /// Mean time from probe to answer; nil while there is no answer in the window.
    package var roundTripTime: Duration? {
        let times = slots.compactMap { slot -> Duration? in
            if case .answered(let time) = slot.outcome { time } else { nil }
        }
        guard !times.isEmpty else { return nil }
        return times.reduce(.zero, +) / times.count
    }

    /// Lost probes of every 100 that have ended; nil while none has.
    package var lossPercent: Double? {
        var ended = 0
        var lost = 0
        for slot in slots {
            switch slot.outcome {
            case .pending, .withdrawn: continue
            case .lost:
                ended += 1
                lost += 1
            case .answered: ended += 1
            }
        }
        return ended == 0 ? nil : 100 * Double(lost) / Double(ended)
    }
}
