import Base
import TestSupport
import Uplinks

// What the service does with the machines.
extension UplinkWeather {
    mutating func wakeUp(_ uplink: Int) throws(Violation) {
        // One that an earlier one has replaced: it would go on for ever beside it.
        guard scheduled[uplink] == now else { return }
        scheduled[uplink] = nil
        // It has nothing to do any more: an answer came.
        if let due = views[uplink].nextWakeUp, now < due { return scheduleWakeUp(uplink) }
        let effects = monitors[uplink].timePassed(at: now)
        views[uplink].update(&monitors[uplink])
        if let due = views[uplink].nextWakeUp, due <= now {
            throw Violation("uplink \(uplink) wants to be woken for ever")
        }
        try carryOut(effects, uplink)
    }

    mutating func wakeUpSelector() throws(Violation) {
        guard selectorAt == now else { return }
        selectorAt = nil
        if let due = selector.nextWakeUp, due <= now {
            if !selector.timePassed(at: now).isEmpty { try settle() }
            if let due = selector.nextWakeUp, due <= now {
                throw Violation("the selector wants to be woken for ever")
            }
        }
        scheduleSelector()
    }

    /// Tells the monitor what became of its link.
    mutating func look(_ uplink: Int) -> [UplinkMonitor.Effect] {
        defer { views[uplink].update(&monitors[uplink]) }
        do throws(NoPath) {
            paths[uplink] = try kernel.path(uplink)
            return monitors[uplink].linkFound(at: now)
        } catch {
            paths[uplink] = nil
            checker.linkLost(uplink)
            return monitors[uplink].linkLost(error.reason, at: now)
        }
    }

    mutating func perform(_ effects: [UplinkMonitor.Effect], _ uplink: Int)
        throws(Violation)
    {
        views[uplink].update(&monitors[uplink])
        try carryOut(effects, uplink)
    }

    private mutating func carryOut(_ effects: [UplinkMonitor.Effect], _ uplink: Int)
        throws(Violation)
    {
        for effect in effects {
            switch effect {
            case .sendProbe(let sequence, let target):
                send(uplink, sequence, target)
            case .declare(let standing, let reason):
                tell("\(uplink) is \(standing): \(reason.words)")
                try checker.declared(uplink, standing, at: now)
                note(uplink, standing == .up ? 1 : standing == .down ? 0 : 2)
                hasChanged = true
                let choice = selector.standingChanged(uplink, to: standing, at: now)
                scheduleSelector()
                if !choice.isEmpty { try settle() }
                if faults.asksForLogins {
                    try performPortal(
                        portals[uplink].standingChanged(to: standing, at: now), uplink)
                }
            }
        }
        try noteSuspicion(uplink)
        scheduleWakeUp(uplink)
    }

    /// When the carrying one is suspected, the others are made sure of.
    mutating func noteSuspicion(_ uplink: Int) throws(Violation) {
        guard suspected[uplink] != views[uplink].isSuspected else { return }
        suspected[uplink].toggle()
        hasChanged = true
        if suspected[uplink], selector.carrying == uplink {
            for other in 0..<3 where other != uplink {
                monitors[other].verify(at: now)
                try perform([], other)
            }
        }
        let choice = selector.suspicionChanged(uplink, to: suspected[uplink], at: now)
        scheduleSelector()
        if !choice.isEmpty { try settle() }
    }

    mutating func send(_ uplink: Int, _ sequence: UInt16, _ target: IPv4Address) {
        checker.sent(uplink, sequence, target, at: now)
        tell("\(uplink) sends \(sequence) to \(target)")
        guard
            let later = lines[uplink].passes(
                to: target, limit: faults.limit, at: now, using: &random)
        else { return }
        let longest = isCalm ? Duration.milliseconds(100) : faults.delayMax
        let delay =
            later
            + .nanoseconds(Int64.random(in: 1_000_000...longest.nanoseconds, using: &random))
        let inTime = delay < limits[uplink].timeout
        queue.insert(
            .answer(uplink, sequence: sequence, target: target, inTime: inTime), at: now + delay)
    }

    /// Messages came, or should have: all of the network is looked at, unless they were lost.
    mutating func networkChanged() throws(Violation) {
        hasChanged = true
        isUnread = true
        if kernel.mainRoutes.isEmpty { checker.routesTakenByOthers() }
        if !isDeaf { try settle() }
    }

    mutating func settle() throws(Violation) {
        hasChanged = true
        if isUnread {
            isUnread = false
            for uplink in 0..<3 { try perform(look(uplink), uplink) }
        }
        note(carrying: selector.carrying)
        let plan = RoutePlan(
            interfaces: Self.names, paths: paths, carrying: selector.carrying)
        let changes = plan.changes(from: kernel.view)
        guard !changes.isEmpty else { return }
        for change in changes {
            try kernel.apply(change)
            try checker.checkRoute(kernel)
        }
        let rest = plan.changes(from: kernel.view)
        guard rest.isEmpty else { throw Violation("the plan is never content: \(rest)") }
    }

    mutating func countTraffic() throws(Violation) {
        if let carrying = selector.carrying {
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                counts[carrying].packetsOut += 1
                counts[carrying].bytes += 1000
                let isAnswered = lines[carrying].isAnswered(using: &random)
                if isAnswered { counts[carrying].packetsIn += 1 }
            }
        }
        for uplink in 0..<3 {
            switch traffic[uplink].counted(
                counts[uplink], patience: monitors[uplink].trafficPatience, at: now)
            {
            case .nothing: break
            case .heard:
                monitors[uplink].trafficHeard(at: now)
                checker.trafficHeard(uplink, at: now)
            case .silent(let since):
                guard selector.carrying == uplink else { continue }
                monitors[uplink].trafficSilent(since: since, at: now)
                try perform([], uplink)
            }
        }
        let next = selector.carrying.map {
            traffic[$0].nextLook(after: now, isProbedOften: limits[$0].interval <= .seconds(1))
        }
        schedule(.traffic, at: next ?? now + TrafficWatch.period)
    }

    mutating func lookAtQuality() throws(Violation) {
        schedule(.quality, at: now + Self.qualityPeriod)
        let effects = quality.look(
            monitors.map(\.window), isUp: views.map { $0.standing == .up },
            carrying: selector.carrying,
            isBusy: selector.carrying.map { traffic[$0].isBusy } ?? false, at: now)
        for effect in effects {
            switch effect {
            case .assess(let uplink, let end, let spacing):
                monitors[uplink].assess(until: end, every: spacing, at: now)
                try perform([], uplink)
            case .declare(let uplink, let isPoor, _):
                note(uplink, isPoor ? 3 : 4)
                hasChanged = true
                views[uplink].isPoor = isPoor
                let choice = selector.qualityChanged(uplink, isPoor: isPoor, at: now)
                scheduleSelector()
                if !choice.isEmpty { try settle() }
            }
        }
    }
}
