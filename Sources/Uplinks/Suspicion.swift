import Base

/// Probes lost one after the other.
struct Losses: Sendable {
    private(set) var count = 0
    /// When the first of them was sent.
    private(set) var since: Instant?
    /// Without repetition, in the order of their first loss.
    private(set) var targets: [IPv4Address] = []

    func adding(_ target: IPv4Address, sentAt: Instant) -> Losses {
        var losses = self
        losses.count += 1
        losses.since = losses.since ?? sentAt
        if !targets.contains(target) { losses.targets.append(target) }
        return losses
    }

    /// "2 probes lost to 1.1.1.1, 9.9.9.9"; `manner` stands between, such as " within 0.9 s".
    func words(_ manner: String = "") -> String {
        let names = targets.map(\.description).joined(separator: ", ")
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
        target: IPv4Address, sentAt: Instant, timeout: Duration, confirm: Duration, at now: Instant
    ) {
        self.init(since: sentAt, confirm: max(confirm, timeout), at: now)
        losses = losses.adding(target, sentAt: sentAt)
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
    mutating func probeSent(to target: IPv4Address, patience: Duration, at now: Instant) {
        losses = losses.adding(target, sentAt: now)
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

    /// "12 probes lost within 0.9 s to 1.1.1.1, 9.9.9.9"
    func words(at now: Instant) -> String {
        let tenths = ((now - since).nanoseconds + 50_000_000) / 100_000_000
        return losses.words(" within \(tenths / 10).\(tenths % 10) s")
    }
}
