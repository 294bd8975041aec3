import Base
import Linux
import Logging
import Settings

// What speaks for and against the uplinks besides their probes: traffic, quality; and what follows from a switch.
extension UplinksService {
    package func status() -> UplinksStatus {
        let now = clock.now()
        return UplinksStatus(
            uplinks: uplinks.enumerated().map { number, uplink in
                let window = uplink.monitor.window
                return UplinksStatus.Uplink(
                    name: uplink.settings.name, interface: uplink.settings.interface,
                    address: uplink.path?.address,
                    gateway: uplink.path?.gateway ?? uplink.settings.gateway,
                    standing: uplink.monitor.standing, isCarrying: selector.carrying == number,
                    hasCarrier: uplink.hasCarrier, roundTripTime: window.roundTripTime,
                    lossPercent: window.lossPercent, jitter: window.jitter,
                    history: window.history, targets: uplink.settings.keepAlive.probes,
                    silentTargets: window.silentTargets(at: now), poorness: uplink.poorness,
                    login: portals[number]?.login,
                    heldUntil: heldUntil(number, at: now),
                    bursts: uplink.monitor.bursts, since: uplink.monitor.since,
                    reason: reason(of: number), budget: budgetStatus(number))
            },
            switches: selector.switches, history: history,
            problem: problem ?? quarrel.words(at: now))
    }

    /// nil: nothing keeps it from its turn. One that carries has it, and one that is less preferred waits for another's end.
    private func heldUntil(_ number: Int, at now: Instant) -> Instant? {
        guard let carrying = selector.carrying, number < carrying else { return nil }
        return selector.heldUntil(number).flatMap { $0 > now ? $0 : nil }
    }

    /// The counters were read; nil: they could not be.
    func trafficCounted(_ counts: [TrafficCount]?) {
        let now = clock.now()
        guard let counts, counts.count == uplinks.count else { return }
        for number in uplinks.indices {
            let finding = uplinks[number].traffic.counted(
                counts[number], patience: uplinks[number].monitor.trafficPatience, at: now)
            switch finding {
            case .nothing: break
            case .heard: uplinks[number].monitor.trafficHeard(at: now)
            case .silent(let since):
                // What still trickles out over a standby is no loss.
                guard selector.carrying == number, mayLookIntoSilence(number, since: since)
                else { continue }
                let bursts = uplinks[number].monitor.bursts
                uplinks[number].monitor.trafficSilent(since: since, at: now)
                if uplinks[number].monitor.bursts > bursts { lookedIntoSilence(number) }
                perform([], number)
            }
        }
    }

    func lookAtQuality() {
        let now = clock.now()
        guard failover.quality, hasStarted, qualityAt <= now else { return }
        // When the router is awake anyway; and by whole seconds, however late each look is, for it counts them.
        qualityAt = now.next(multipleOf: .seconds(1))
        let second = qualityAt - .seconds(1)
        let effects = quality.look(
            uplinks.map(\.monitor.window), isUp: uplinks.map { $0.monitor.standing == .up },
            carrying: selector.carrying,
            isBusy: selector.carrying.map { uplinks[$0].traffic.isBusy } ?? false, at: second)
        for effect in effects {
            switch effect {
            case .assess(let number, let end, let spacing):
                guard mayLookCloser(number) else { continue }
                uplinks[number].monitor.assess(until: end, every: spacing, at: now)
            case .declare(let number, let isPoor, let reason):
                let name = uplinks[number].settings.name
                uplinks[number].poorness = isPoor ? reason : nil
                logger.notice(
                    isPoor ? "uplink serves badly" : "uplink serves well",
                    metadata: ["uplink": "\(name)", "reason": "\(reason)"])
                choose(
                    selector.qualityChanged(number, isPoor: isPoor, at: now), "\(name): \(reason)")
            }
        }
    }

    /// The uplink that our default route leads over already, from an earlier life of the daemon.
    func present(in view: NetworkView) -> Int? {
        let route = view.defaults.first { $0.isOurs && $0.table == DefaultRoute.mainTable }
        guard let route else { return nil }
        return uplinks.firstIndex { $0.path?.interfaceIndex == route.interfaceIndex }
    }

    /// The routes are as they shall be: if another uplink carries than before, that was a switch.
    func noteSwitch() {
        guard let carrying = selector.carrying, carrying != settledOn else { return }
        defer { settledOn = carrying }
        guard let old = settledOn else { return }
        let now = clock.now()
        let standing = uplinks[old].monitor.standing
        // One that wants a login answers pings and carries nothing.
        let isCaptive = portals[old]?.isCaptive ?? false
        if isCaptive || standing == .recovering {
            chores.failed(old)
        } else if standing == .up {
            chores.left(old, until: now + failover.finish)
        }
        history.append(
            UplinkSwitch(
                at: now, from: uplinks[old].settings.name, to: uplinks[carrying].settings.name,
                cause: cause,
                blackout: standing == .up ? nil : uplinks[old].monitor.heardAt.map { now - $0 },
                resets: 0))
        if history.count > UplinkSwitch.historyMax { history.removeFirst() }
    }

    func forgotten(_ number: Int, _ flows: ForgottenFlows?) {
        guard let flows else { return }
        let name = uplinks[number].settings.name
        if let last = history.lastIndex(where: { $0.from == name }) {
            history[last].resets += flows.resets
        }
        logger.info(
            "connections forgotten",
            metadata: [
                "uplink": "\(name)", "resets": "\(flows.resets)",
                "table_ms": "\(Int(flows.time.milliseconds))",
            ])
    }
}
