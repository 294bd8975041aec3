package import Base
import Linux
package import Logging
package import Settings

/// Keeps the router online: probes every uplink, and leads the default route over the best one.
///
/// A graceful stop removes nothing: the machine stays online as it is.
package actor UplinksService {
    /// Most events that wait for their reader; the oldest are dropped.
    package static let eventsMax = 64
    /// Until the next attempt after the kernel refused a change, or after a socket failed.
    package static let retryPause = Duration.seconds(1)

    /// Each new way out, or new address on it; the same again when it answers again after a silence.
    /// One listener.
    package nonisolated let events: AsyncStream<UplinkSelected>
    private let report: AsyncStream<UplinkSelected>.Continuation

    private let prober: any Prober
    private let routes: any RouteTable
    private let clock: any MonotonicClock
    private let logger: Logger

    private struct Uplink {
        let settings: Settings.Uplink
        var monitor: UplinkMonitor
        var path: UplinkPath?
        var hasCarrier = false
    }
    private var uplinks: [Uplink]
    private var selector: UplinkSelector
    private var hasStarted = false
    /// The tables may not be as they shall be.
    private var isUnsettled = true
    private var retryAt: Instant?
    private var problem: String?
    private var budget = ChangeBudget()
    private var lastSelected: UplinkSelected?
    /// The carrying uplink was down, or lost its link, since it was announced.
    private var carryingIsSilent = false

    /// What the main loop waits for.
    private enum Input: Sendable {
        case timer(Instant)
        case answers(uplink: Int, [ProbeAnswer])
        case networkChanged
    }

    package init(
        uplinks settings: [Settings.Uplink], prober: any Prober, routes: any RouteTable,
        clock: any MonotonicClock, logger: Logger
    ) {
        precondition(settings.count <= RoutePlan.uplinksMax)
        self.prober = prober
        self.routes = routes
        self.clock = clock
        self.logger = logger
        (events, report) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Self.eventsMax))
        let now = clock.now()
        uplinks = settings.map {
            Uplink(settings: $0, monitor: UplinkMonitor(limits: .init($0.keepAlive), at: now))
        }
        selector = UplinkSelector(uplinks: settings.count)
    }

    /// On the kernel's own sockets, which are opened by the calling thread; needs CAP_NET_RAW and CAP_NET_ADMIN.
    package init(uplinks: [Settings.Uplink], clock: any MonotonicClock, logger: Logger) throws {
        self.init(
            uplinks: uplinks, prober: try ICMPProber(uplinks: uplinks.count),
            routes: try KernelRoutes(), clock: clock, logger: logger)
    }

    /// Runs until it is cancelled, which is a normal end; throws `MissingCapability` if it may not change routes.
    package func run() async throws {
        defer { report.finish() }
        do {
            try await serve()
        } catch is CancellationError {
            // Stopped.
        }
    }

    package func status() -> UplinksStatus {
        UplinksStatus(
            uplinks: uplinks.enumerated().map { number, uplink in
                UplinksStatus.Uplink(
                    name: uplink.settings.name, interface: uplink.settings.interface,
                    address: uplink.path?.address,
                    gateway: uplink.path?.gateway ?? uplink.settings.gateway,
                    standing: uplink.monitor.standing, isCarrying: selector.carrying == number,
                    hasCarrier: uplink.hasCarrier,
                    roundTripTime: uplink.monitor.window.roundTripTime,
                    lossPercent: uplink.monitor.window.lossPercent, bursts: uplink.monitor.bursts,
                    since: uplink.monitor.since, reason: uplink.monitor.reason)
            },
            switches: selector.switches, problem: problem)
    }
}

// The loop: every input is handled here, one after the other.
extension UplinksService {
    private func serve() async throws {
        try await withThrowingTaskGroup(of: Input.self) { group in
            group.addTask { try await self.nextChange() }
            for number in uplinks.indices {
                group.addTask { try await self.nextAnswers(on: number) }
            }
            var timers: Set<Instant> = []
            repeat {
                try await catchUp()
                // A timer that is too early does no harm, so none is ever taken back.
                if let due = nextWakeUp, !timers.contains(where: { $0 <= due }) {
                    timers.insert(due)
                    group.addTask { [clock] in
                        try await clock.sleep(until: due)
                        return .timer(due)
                    }
                }
                guard let input = try await group.next() else { return }
                switch input {
                case .timer(let due):
                    timers.remove(due)
                case .answers(let number, let answers):
                    for answer in answers {
                        perform(
                            uplinks[number].monitor.probeAnswered(
                                answer.sequence, from: answer.source, at: clock.now()), number)
                    }
                    group.addTask { try await self.nextAnswers(on: number) }
                case .networkChanged:
                    isUnsettled = true
                    group.addTask { try await self.nextChange() }
                }
            } while !Task.isCancelled
        }
    }

    private nonisolated func nextChange() async throws -> Input {
        do {
            try await routes.waitForChange()
        } catch let error as SystemError {
            logger.warning("network changes are not seen", metadata: ["error": "\(error)"])
            try await clock.sleep(until: clock.now() + Self.retryPause)
        }
        return .networkChanged
    }

    private nonisolated func nextAnswers(on number: Int) async throws -> Input {
        do {
            return .answers(uplink: number, try await prober.answers(on: number))
        } catch let error as SystemError {
            logger.warning("probe answers are not heard", metadata: ["error": "\(error)"])
            try await clock.sleep(until: clock.now() + Self.retryPause)
            return .answers(uplink: number, [])
        }
    }

    /// Does everything that is due; routes come before the probes that need them.
    private func catchUp() async throws {
        if let retryAt, retryAt <= clock.now() {
            self.retryAt = nil
            isUnsettled = true
        }
        repeat {
            if isUnsettled { try await settle() }
            for number in uplinks.indices {
                perform(uplinks[number].monitor.timePassed(at: clock.now()), number)
            }
        } while isUnsettled
    }

    private var nextWakeUp: Instant? {
        (uplinks.map(\.monitor.nextWakeUp) + [retryAt]).compactMap { $0 }.min()
    }

    private func perform(_ effects: [UplinkMonitor.Effect], _ number: Int) {
        for effect in effects {
            switch effect {
            case .sendProbe(let sequence, let target):
                sendProbe(number, sequence, target)
            case .declare(let standing, let reason):
                declared(number, standing, reason)
            }
        }
    }

    private func sendProbe(_ number: Int, _ sequence: UInt16, _ target: IPv4Address) {
        // Race: its link was lost meanwhile, and the monitor knows.
        guard let path = uplinks[number].path else { return }
        do {
            try prober.send(
                Probe(uplink: number, path: path, target: target, sequence: sequence))
        } catch {
            perform(
                uplinks[number].monitor.probeNotSent(sequence, "\(error)", at: clock.now()),
                number)
        }
    }

    private func declared(_ number: Int, _ standing: UplinkMonitor.Standing, _ reason: String) {
        let name = uplinks[number].settings.name
        let metadata: Logger.Metadata = ["uplink": "\(name)", "reason": "\(reason)"]
        switch standing {
        case .up: logger.notice("uplink is up", metadata: metadata)
        case .down: logger.notice("uplink is down", metadata: metadata)
        case .noLink: logger.notice("uplink has no link", metadata: metadata)
        case .untried: logger.debug("uplink is untried", metadata: metadata)
        case .doubtful: logger.debug("uplink is doubtful", metadata: metadata)
        case .recovering: logger.debug("uplink is recovering", metadata: metadata)
        }
        guard hasStarted else { return }
        if number == selector.carrying {
            switch standing {
            case .down, .noLink: carryingIsSilent = true
            case .recovering, .up:
                guard carryingIsSilent else { break }
                // Connections over it may wait for long until they try again: say that it is worth it.
                (carryingIsSilent, lastSelected) = (false, nil)
                isUnsettled = true
            case .untried, .doubtful: break
            }
        }
        if !selector.standingChanged(number, to: standing).isEmpty { isUnsettled = true }
    }
}

// The routing tables.
extension UplinksService {
    /// Looks at the network, tells the monitors, and puts the routing tables in order.
    private func settle() async throws {
        isUnsettled = false
        do {
            let view = try await routes.read()
            look(at: view)
            if !hasStarted {
                hasStarted = true
                _ = selector.started(uplinks.map(\.monitor.standing))
            }
            isUnsettled = false
            let plan = RoutePlan(
                interfaces: uplinks.map(\.settings.interface), paths: uplinks.map(\.path),
                carrying: selector.carrying)
            let orders = plan.changes(from: view)
            if !orders.isEmpty {
                if let later = budget.spend(for: selector.carrying, at: clock.now()) {
                    retryAt = later
                    return
                }
                try await routes.apply(orders)
            }
            if problem != nil { logger.notice("routing tables are in order again") }
            problem = nil
            announceSelection()
        } catch let error as SystemError {
            retryAt = clock.now() + Self.retryPause
            if problem != "\(error)" {
                logger.warning("routing tables are not in order", metadata: ["error": "\(error)"])
            }
            problem = "\(error)"
        }
    }

    private func look(at view: NetworkView) {
        let now = clock.now()
        for number in uplinks.indices {
            let settings = uplinks[number].settings
            uplinks[number].hasCarrier = view.link(named: settings.interface)?.hasCarrier ?? false
            do throws(NoPath) {
                uplinks[number].path = try view.path(
                    over: settings.interface, gateway: settings.gateway)
                perform(uplinks[number].monitor.linkFound(at: now), number)
            } catch {
                uplinks[number].path = nil
                perform(uplinks[number].monitor.linkLost(error.reason, at: now), number)
            }
        }
    }

    private func announceSelection() {
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
    init(_ keepAlive: Settings.KeepAlive) {
        self.init(
            targets: keepAlive.targets, interval: keepAlive.interval, timeout: keepAlive.timeout,
            failures: keepAlive.failures, successes: keepAlive.successes, burst: keepAlive.burst)
    }
}
