import Base
import Uplinks

/// What a check for a login page found.
enum LoginAnswer: UInt8 {
    case free, captive, none

    init(_ finding: PortalWatch.Finding) {
        switch finding {
        case .free: self = .free
        case .captive: self = .captive
        case .unknown: self = .none
        }
    }

    var finding: PortalWatch.Finding {
        switch self {
        case .free: .free
        case .captive: .captive("wants a login")
        case .none: .unknown("no answer")
        }
    }
}

// What the service does with the watches for login pages.
extension UplinkWeather {
    mutating func performPortal(_ effects: [PortalWatch.Effect], _ uplink: Int)
        throws(Violation)
    {
        for effect in effects {
            switch effect {
            case .ask(let check):
                checker.askedForLogin(uplink, at: now)
                let answer: LoginAnswer =
                    !lines[uplink].isAnswered(using: &random)
                    ? .none : lines[uplink].has(.captive) ? .captive : .free
                let delay = Duration.milliseconds(Int64.random(in: 20...4000, using: &random))
                schedule(.loginAnswered(uplink, check: check, answer), at: now + delay)
            case .declare(let isCaptive, let reason):
                tell("\(uplink) \(isCaptive ? "is captive" : "is free"): \(reason)")
                note(uplink, isCaptive ? 5 : 6)
                if isCaptive { loginsFound += 1 }
                hasChanged = true
                views[uplink].isCaptive = isCaptive
                let choice = selector.captivityChanged(uplink, isCaptive: isCaptive, at: now)
                scheduleSelector()
                if !choice.isEmpty { try settle() }
            }
        }
        schedulePortal(uplink)
    }

    mutating func askForLogin(_ uplink: Int) throws(Violation) {
        // One that an earlier one has replaced.
        guard portalsAt[uplink] == now else { return }
        portalsAt[uplink] = nil
        try performPortal(portals[uplink].timePassed(at: now), uplink)
    }

    mutating func loginAnswered(
        _ uplink: Int, _ check: Int, _ answer: LoginAnswer
    ) throws(Violation) {
        let before = portals[uplink].nextWakeUp
        let effects = portals[uplink].answered(answer.finding, to: check, at: now)
        // An answer to an older check changes nothing, and is nobody's.
        if portals[uplink].nextWakeUp != before { checker.loginAnswered(uplink, answer) }
        try performPortal(effects, uplink)
    }

    private mutating func schedulePortal(_ uplink: Int) {
        guard let due = portals[uplink].nextWakeUp, portalsAt[uplink].map({ $0 > due }) ?? true
        else { return }
        let at = max(due, now)
        portalsAt[uplink] = at
        schedule(.askForLogin(uplink), at: at)
    }
}
