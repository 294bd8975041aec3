import Base

/// Probes lost one after the other.
package struct Losses: Sendable {
    // Small and in place, for the state of an uplink, which they are part of, is copied with every event.
    private var number: UInt32 = 0
    private var first = Instant.boot
    /// The numbers of their targets, without repetition, in the order of their first loss.
    private var targets = InlineArray<8, UInt8>(repeating: 0)
    private var targetsCount: UInt8 = 0

    var count: Int { Int(number) }
    /// When the first of them was sent.
    var since: Instant? { number == 0 ? nil : first }

    /// Most targets of an uplink.
    static let targetsMax = 8

    func adding(target: Int, sentAt: Instant) -> Losses {
        var losses = self
        if number == 0 { losses.first = sentAt }
        losses.number += 1
        if !(0..<Int(targetsCount)).contains(where: { targets[$0] == target }) {
            losses.targets[Int(targetsCount)] = UInt8(target)
            losses.targetsCount += 1
        }
        return losses
    }

    /// "2 probes lost within 0.9 s to 1.1.1.1, 9.9.9.9"
    func words(to all: [IPv4Address], within time: Duration?) -> String {
        let tenths = time.map { ($0.nanoseconds + 50_000_000) / 100_000_000 }
        let manner = tenths.map { " within \($0 / 10).\($0 % 10) s" } ?? ""
        let names = (0..<Int(targetsCount)).map { all[Int(targets[$0])].description }
            .joined(separator: ", ")
        return "\(count) \(count == 1 ? "probe" : "probes") lost\(manner) to \(names)"
    }
}

/// A silence that is looked into: a burst of probes over all targets, and a verdict if none is answered.
///
/// Random loss of a share p of all probes makes a false verdict of p¹² of the regular ones: the silent one
/// and eleven more must all be lost. At 30 % that is 5·10⁻⁷, at one probe a second once in three weeks;
/// with the eight probes of the usual bursts it would be twelve times a week.
struct Suspicion: Sendable {
    /// Most probes of a burst; every target has its share, for there are at most eight.
    static let burstMax = 11
    static let spacingMin = Duration.milliseconds(20)
    /// Of the time to confirm, what is left for the first probe's silence and the last one's answer.
    static let margin = Duration.milliseconds(190)

    /// When the silent probe was sent, or the last packet came.
    private let since: Instant
    private let spacing: Duration
    private var losses = Losses()
    /// nil: all are sent.
    private var nextProbe: Instant?
    private var verdict: Instant
    /// Sent for it alone.
    private var probes = 0

    /// Suspects the silence after a probe to `target`; an answer within `timeout` of it would still be in time.
    init(
        target: Int, sentAt: Instant, timeout: Duration, confirm: Duration, at now: Instant
    ) {
        self.init(since: sentAt, confirm: max(confirm, timeout), at: now)
        losses = losses.adding(target: target, sentAt: sentAt)
    }

    /// Suspects that nothing has come in since a moment, while packets went out.
    init(since: Instant, confirm: Duration, at now: Instant) {
        self.since = since
        spacing = max(Self.spacingMin, (confirm - Self.margin) / Self.burstMax)
        nextProbe = now
        verdict = since + confirm
    }

    /// The first probe of the burst was not answered as soon as usual, either.
    var isGrave: Bool { probes > 1 }

    var nextWakeUp: Instant { nextProbe ?? verdict }

    func isProbeDue(at now: Instant) -> Bool { nextProbe.map { $0 <= now } ?? false }

    /// A probe of the burst goes out; its answer is due in `patience`.
    mutating func probeSent(to target: Int, patience: Duration, at now: Instant) {
        losses = losses.adding(target: target, sentAt: now)
        // After a stall of ours from now on, not from when it was due: it cannot squeeze the burst. But what a timer is
        // late by does not add up.
        let due = nextProbe ?? now
        let begin = now - due <= spacing / 4 ? due : now
        nextProbe = losses.count > Self.burstMax ? nil : begin + spacing
        probes += 1
        verdict = max(verdict, now + patience)
    }

    /// All probes went unanswered for long enough.
    func isConfirmed(at now: Instant) -> Bool { nextProbe == nil && verdict <= now }

    /// Something else speaks for the uplink: no verdict before `later`.
    mutating func postpone(to later: Instant) { verdict = max(verdict, later) }

    /// What it has found out, and in what time.
    func evidence(at now: Instant) -> (Losses, within: Duration) { (losses, now - since) }
}
