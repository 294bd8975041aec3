import Base
import Uplinks

/// What must be known of login pages, from the answers alone.
struct LoginChecker {
    /// An uplink that is up is asked at least so often, the time of an answer included.
    private static let everyMax = PortalWatch.Limits.usual.every + .seconds(10)

    /// Per uplink: whether it wants a login.
    private(set) var isCaptive = [false, false, false]
    /// Login pages, and checks without an answer, in a row.
    private var pages = [0, 0, 0]
    private var silences = [0, 0, 0]
    /// Somebody looks for login pages.
    private var isUsed = false
    private var askedAt: [Instant?] = [nil, nil, nil]
    private var upSince: [Instant?] = [nil, nil, nil]

    mutating func linkLost(_ uplink: Int) {
        (isCaptive[uplink], pages[uplink], silences[uplink]) = (false, 0, 0)
    }

    mutating func asked(_ uplink: Int, at now: Instant) {
        isUsed = true
        askedAt[uplink] = now
    }

    mutating func answered(_ uplink: Int, _ answer: LoginAnswer) {
        switch answer {
        case .free:
            linkLost(uplink)
        case .captive:
            (pages[uplink], silences[uplink]) = (pages[uplink] + 1, 0)
            if pages[uplink] >= PortalWatch.believed { isCaptive[uplink] = true }
        case .none:
            silences[uplink] += 1
            if silences[uplink] >= PortalWatch.unknownsMax {
                (isCaptive[uplink], pages[uplink]) = (false, 0)
            }
        }
    }

    /// "An uplink wants a login if two answers in a row said so, until one says that it does not; and who is up is asked."
    mutating func check(_ uplinks: [MonitorView], at now: Instant) throws(Violation) {
        guard isUsed else { return }
        for uplink in uplinks.indices {
            guard uplinks[uplink].isCaptive == isCaptive[uplink] else {
                throw Violation("\(uplink) is said to be captive: \(uplinks[uplink].isCaptive)")
            }
            guard uplinks[uplink].standing == .up else {
                upSince[uplink] = nil
                continue
            }
            let since = upSince[uplink] ?? now
            upSince[uplink] = since
            guard now - max(since, askedAt[uplink] ?? .boot) <= Self.everyMax else {
                throw Violation("\(uplink) was not asked for a login for \(now - since)")
            }
        }
    }
}
