import Base
import Uplinks

/// What the checker knows of one uplink, from outside the machines.
struct UplinkRecord {
    /// Probes sent since the last one that was not answered in time.
    private(set) var run = 0
    private var isAnswered = true
    private var last: UInt16?
    /// How many probes were sent since its link was lost; an answer to an older one is nobody's.
    private var known = 0
    /// Targets of the probes sent since anything was heard.
    private(set) var silent: [(sentAt: Instant, target: IPv4Address)] = []
    var standing = UplinkMonitor.Standing.untried
    var hasVerdict = false
    /// Was declared down, and has answered nothing in time since.
    var isJustDown = false
    /// When replies to its traffic came last.
    var trafficHeard: Instant?

    mutating func sent(_ sequence: UInt16, _ target: IPv4Address, at now: Instant) {
        // The one before it was not answered in time.
        if !isAnswered { run = 0 }
        isAnswered = false
        last = sequence
        silent.append((now, target))
        known += 1
    }

    /// What was sent up to `excused` was not in vain.
    mutating func answered(_ sequence: UInt16, inTime: Bool, excused: Instant) {
        // They are numbered one after the other.
        guard let last, last &- sequence < known else { return }
        silent.removeAll { $0.sentAt <= excused }
        // Of a burst that is over, several may be answered; they are no probes in a row, but the first one of them may be
        // a regular probe.
        guard inTime, sequence == last || isJustDown else { return }
        isJustDown = false
        isAnswered = true
        run += 1
    }

    mutating func linkLost() {
        run = 0
        isAnswered = true
        silent = []
        known = 0
    }
}
