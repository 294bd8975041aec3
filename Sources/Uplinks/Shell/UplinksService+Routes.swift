import Base
import Linux
import Logging
import Settings

// What the network looks like, and what the house is told of it.
extension UplinksService {
    func look(at view: NetworkView) {
        let now = clock.now()
        for number in uplinks.indices {
            let settings = uplinks[number].settings
            uplinks[number].hasCarrier = view.link(named: settings.interface)?.hasCarrier ?? false
            do throws(NoPath) {
                let path = try view.path(over: settings.interface, gateway: settings.gateway)
                if path != uplinks[number].path { portalPathChanged(number) }
                uplinks[number].path = path
                perform(uplinks[number].monitor.linkFound(at: now), number)
            } catch {
                if number == selector.carrying { quarrel.linkLost() }
                uplinks[number].path = nil
                perform(uplinks[number].monitor.linkLost(error.reason, at: now), number)
            }
        }
    }

    func announceSelection() {
        guard let number = selector.carrying, let path = uplinks[number].path else { return }
        let name = uplinks[number].settings.name
        let event = UplinkSelected(name: name, address: path.address)
        guard event != lastSelected else { return }
        if event.name != lastSelected?.name { carryingIsSilent = false }
        lastSelected = event
        logger.notice(
            "uplink is carrying",
            metadata: [
                "uplink": "\(name)", "address": "\(path.address)",
                "reason": "\(uplinks[number].monitor.reason)",
            ])
        report.yield(event)
    }
}

extension UplinkMonitor.Limits {
    init(_ uplink: Settings.Uplink) {
        let keepAlive = uplink.keepAlive
        self.init(
            targets: keepAlive.targets, interval: keepAlive.interval, timeout: keepAlive.timeout,
            failures: keepAlive.failures, successes: keepAlive.successes, burst: keepAlive.burst,
            confirm: uplink.confirm)
    }
}

extension UplinksService {
    /// Before a silence is suspected or believed: on a machine with other work, answers may have come in while we waited for a
    /// processor, and the end of the silence's time is looked at first. How long answers usually take does not allow for that wait.
    func hearAnswers(on number: Int) {
        guard uplinks[number].monitor.isSuspected || uplinks[number].monitor.pending != nil,
            uplinks[number].monitor.nextWakeUp.map({ $0 <= clock.now() }) ?? false,
            let arrived = try? prober.arrived(on: number)
        else { return }
        inbox.add(arrived, to: number)
        takeAnswers(on: number)
    }

    func takeAnswers(on number: Int) {
        for answer in inbox.take(from: number) {
            // When it came may be before what the monitor was told last, and that does no harm: it decides nothing, but gives the
            // round trip, since when the uplink is up and was heard, and the first probe after a suspicion, an interval later.
            perform(
                uplinks[number].monitor.probeAnswered(
                    answer.sequence, from: answer.source, at: answer.arrival ?? clock.now()),
                number)
        }
    }

    /// Tells the selector; and when the silence of the carrying one is more than a moment's, the others are asked, too.
    func noteSuspicion(of number: Int) {
        let now = clock.now()
        let isGrave = uplinks[number].monitor.isGravelySuspected
        if isGrave, !uplinks[number].isGravelySuspected, selector.carrying == number {
            for other in uplinks.indices where other != number {
                uplinks[other].monitor.verify(at: now)
                perform([], other)
            }
        }
        uplinks[number].isGravelySuspected = isGrave
        let isSuspected = uplinks[number].monitor.isSuspected
        guard isSuspected != uplinks[number].isSuspected else { return }
        uplinks[number].isSuspected = isSuspected
        choose(
            selector.suspicionChanged(number, to: isSuspected, at: now),
            uplinks[number].monitor.reason)
    }
}
