import Base
import Linux
import Logging
import Settings

// Which uplinks want a login.
extension UplinksService {
    /// A check that is to be made, perhaps later.
    struct WantedCheck: Sendable {
        var uplink: Int
        var number: Int
    }

    /// A check that is made.
    struct Check: Sendable {
        var uplink: Int
        var number: Int
        var page: Settings.CheckPage
        var path: UplinkPath
    }

    static func portals(_ settings: [Settings.Uplink], _ checker: (any PortalChecker)?)
        -> [PortalWatch?]
    {
        settings.map { uplink in
            guard checker != nil, uplink.keepAlive.captiveCheck != .off else { return nil }
            return PortalWatch(limits: uplink.probeBudget == nil ? .usual : .metered)
        }
    }

    /// To be called when its standing is known to the selector, which must not choose what has no link.
    func portalStanding(_ number: Int, _ standing: UplinkMonitor.Standing) {
        guard let effects = portals[number]?.standingChanged(to: standing, at: clock.now()) else {
            return
        }
        // Nobody waits for the answer of one that is not up.
        if standing != .up { wantedChecks.removeAll { $0.uplink == number } }
        if !effects.isEmpty { checkPaces[number].flapped() }
        performPortal(effects, number)
    }

    /// Its address or gateway is another one.
    func portalPathChanged(_ number: Int) {
        portals[number]?.pathChanged(at: clock.now())
        checkPaces[number].flapped()
    }

    /// What is to be asked now.
    func dueChecks() -> [Check] {
        for number in portals.indices {
            guard let effects = portals[number]?.timePassed(at: clock.now()), !effects.isEmpty
            else { continue }
            performPortal(effects, number)
        }
        let now = clock.now()
        let due = wantedChecks.filter { earliest($0.uplink).map { $0 <= now } ?? true }
        wantedChecks.removeAll { wanted in due.contains { $0.uplink == wanted.uplink } }
        return due.compactMap { begin($0, at: now) }
    }

    /// When the next check may be made that has to wait; nil: none has to.
    var nextCheck: Instant? { wantedChecks.compactMap { earliest($0.uplink) }.min() }

    /// nil: at once.
    private func earliest(_ number: Int) -> Instant? {
        guard uplinks[number].budget != nil else { return nil }
        return checkPaces[number].earliest(isSpent: isBudgetSpent(number))
    }

    private func begin(_ wanted: WantedCheck, at now: Instant) -> Check? {
        let uplink = uplinks[wanted.uplink]
        guard let page = uplink.settings.keepAlive.captiveCheck.page, let path = uplink.path else {
            // Race: its link was lost meanwhile, and the verdict on that comes next.
            _ = portals[wanted.uplink]?.answered(.unknown("no way out"), to: wanted.number, at: now)
            return nil
        }
        checkPaces[wanted.uplink].asked(at: now)
        return Check(uplink: wanted.uplink, number: wanted.number, page: page, path: path)
    }

    func portalAnswered(_ number: Int, _ check: Int, _ answer: PortalAnswer) {
        spent(answer.bytes, on: number)
        logger.debug(
            "login page checked",
            metadata: [
                "uplink": "\(uplinks[number].settings.name)", "finding": "\(answer.finding)",
            ])
        let effects = portals[number]?.answered(answer.finding, to: check, at: clock.now())
        performPortal(effects ?? [], number)
    }

    private func performPortal(_ effects: [PortalWatch.Effect], _ number: Int) {
        let uplink = uplinks[number]
        for effect in effects {
            switch effect {
            case .ask(let check):
                // At most one for each uplink: a check that is replaced is not asked for any more.
                wantedChecks.removeAll { $0.uplink == number }
                wantedChecks.append(WantedCheck(uplink: number, number: check))
            case .declare(let isCaptive, let reason):
                let name = uplink.settings.name
                logger.notice(
                    isCaptive ? "uplink wants a login" : "uplink wants no login",
                    metadata: ["uplink": "\(name)", "reason": "\(reason)"])
                choose(
                    selector.captivityChanged(number, isCaptive: isCaptive, at: clock.now()),
                    "\(name): \(reason)")
            }
        }
    }

    nonisolated func make(_ check: Check) async -> PortalAnswer {
        await checker?.check(check.page, over: check.path)
            ?? PortalAnswer(finding: .unknown("nobody checks"), bytes: 0)
    }
}
