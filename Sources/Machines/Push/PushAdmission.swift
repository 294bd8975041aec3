package import Base

/// Who of the machine network may talk: a bounded number at a time, and after some wrong answers nobody from that
/// address for a while.
package struct PushAdmission: Equatable, Sendable {
    package enum Verdict: Equatable, Sendable {
        case welcome
        /// So many connections are there already, of all or of this address.
        case full
        /// It has answered wrongly too often.
        case shut
    }

    private struct Tries: Equatable {
        var count = 0
        var since: Instant
    }

    private var open: [IPv4Address: Int] = [:]
    private var tries: [IPv4Address: Tries] = [:]

    package init() {}

    /// A connection came; `left` must follow each that is welcome.
    package mutating func came(from address: IPv4Address, at now: Instant) -> Verdict {
        tries = tries.filter { now - $0.value.since < Limits.pushTriesPeriod }
        if tries[address, default: Tries(since: now)].count >= Limits.pushTriesMax { return .shut }
        let all = open.values.reduce(0, +)
        guard all < Limits.pushConnectionsMax,
            open[address, default: 0] < Limits.pushConnectionsOfHostMax
        else { return .full }
        open[address, default: 0] += 1
        return .welcome
    }

    package mutating func left(_ address: IPv4Address) {
        guard let count = open[address] else { return }
        open[address] = count > 1 ? count - 1 : nil
    }

    /// A wrong answer, or none in time.
    package mutating func failed(_ address: IPv4Address, at now: Instant) {
        if tries[address] == nil, tries.count >= Limits.pushHostsMax {
            // Whoever has tried least lately makes room.
            let oldest = tries.min { $0.value.since < $1.value.since }
            if let oldest { tries[oldest.key] = nil }
        }
        tries[address, default: Tries(since: now)].count += 1
    }

    /// A right answer.
    package mutating func succeeded(_ address: IPv4Address) { tries[address] = nil }
}
