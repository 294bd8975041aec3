import Base

/// Probes lost one after the other.
struct Losses: Sendable {
    private(set) var count = 0
    /// Without repetition, in the order of their first loss.
    private(set) var targets: [IPv4Address] = []

    func adding(_ target: IPv4Address) -> Losses {
        var losses = self
        losses.count += 1
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
    static let spacing = Duration.milliseconds(60)
    /// The shortest silence that is believed. A queue that fills all at once delays answers by this much.
    static let silenceMin = Duration.milliseconds(850)

    /// When the silent probe was sent.
    private let since: Instant
    private var losses: Losses
    /// nil: all are sent.
    private var nextProbe: Instant?
    private var verdict: Instant

    /// Suspects the silence after a probe to `target`; an answer within `timeout` of it would still be in time.
    init(target: IPv4Address, sentAt: Instant, timeout: Duration, at now: Instant) {
        since = sentAt
        losses = Losses().adding(target)
        nextProbe = now
        verdict = sentAt + max(Self.silenceMin, timeout)
    }

    var nextWakeUp: Instant { nextProbe ?? verdict }

    func isProbeDue(at now: Instant) -> Bool { nextProbe.map { $0 <= now } ?? false }

    /// A probe of the burst goes out; its answer is due in `patience`.
    mutating func probeSent(to target: IPv4Address, patience: Duration, at now: Instant) {
        losses = losses.adding(target)
        // From now on, not from when it was due: a stall of ours cannot squeeze the burst.
        nextProbe = losses.count > Self.burstMax ? nil : now + Self.spacing
        verdict = max(verdict, now + patience)
    }

    /// All probes went unanswered for long enough.
    func isConfirmed(at now: Instant) -> Bool { nextProbe == nil && verdict <= now }

    /// "12 probes lost within 0.9 s to 1.1.1.1, 9.9.9.9"
    func words(at now: Instant) -> String {
        let tenths = ((now - since).nanoseconds + 50_000_000) / 100_000_000
        return losses.words(" within \(tenths / 10).\(tenths % 10) s")
    }
}
