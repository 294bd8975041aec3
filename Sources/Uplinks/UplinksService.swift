package import Base
import Linux
package import Logging
package import Settings
import Synchronization

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
    let report: AsyncStream<UplinkSelected>.Continuation

    let prober: any Prober
    /// Answers that were read from a socket, until the loop looks at them: also while it waits for something else, so that no
    /// silence is believed while they lie here.
    nonisolated let inbox: Inbox
    let routes: any RouteTable
    /// nil: connections are left alone.
    let flows: (any FlowTable)?
    private let rules: FlowRules
    let clock: any MonotonicClock
    let logger: Logger
    let failover: Settings.Failover
    let account: ProbeAccount

    struct Uplink {
        let settings: Settings.Uplink
        /// What its probes may take in a month; nil: as much as they need.
        let budget: ByteSize?
        var monitor: UplinkMonitor
        var path: UplinkPath?
        var hasCarrier = false
        var traffic = TrafficWatch()
        /// As the selector knows it.
        var isSuspected = false
        /// As the others were asked for.
        var isGravelySuspected = false
        /// Why it is called poor.
        var poorness: String?
    }
    var uplinks: [Uplink]
    var selector: UplinkSelector
    /// The rules that count traffic are there.
    var isCounting = false
    var quality: QualityWatch
    var qualityAt = Instant.boot
    var chores = FlowChores()
    var history: [UplinkSwitch] = []
    /// The choice whose routes were put in force last.
    var settledOn: Int? {
        didSet { carriesNow.store(settledOn ?? -1, ordering: .relaxed) }
    }
    /// The same, for whoever works beside the loop; -1: none.
    private nonisolated let carriesNow = Atomic(-1)
    /// Why the choice has changed since.
    var cause = ""
    var hasStarted = false
    /// Had the route in an earlier life of the daemon, and has neither answered nor failed since.
    var inherited: Int?
    /// The tables may not be as they shall be.
    var isUnsettled = true
    /// What the network looked like when nothing was left to be done; nil: something has been done since.
    var known: NetworkView?
    var retryAt: Instant?
    var problem: String?
    var budget = ChangeBudget()
    var quarrel = RouteQuarrel()
    var use = Use()
    /// By uplink; nil: it is not asked for a login.
    var portals: [PortalWatch?]
    /// To be made as soon as they may be; at most one for each uplink.
    var wantedChecks: [WantedCheck] = []
    /// By uplink; only those with a budget have one that counts.
    var checkPaces: [CheckPace]
    let checker: (any PortalChecker)?
    let gateways: (any GatewayAsker)?
    var gatewayWatch = GatewayWatch()
    var lastSelected: UplinkSelected?
    /// The carrying uplink was down, or lost its link, since it was announced.
    var carryingIsSilent = false

    /// What the main loop waits for.
    private enum Input: Sendable {
        case timer
        /// The counters; nil: the rules that count are not there.
        case traffic([TrafficCount]?)
        case rulesInstalled
        case forgotten(uplink: Int, ForgottenFlows?)
        /// Some lie in the inbox.
        case answers(uplink: Int)
        case checked(Check, PortalAnswer)
        case gateway(of: Int, answers: Bool?)
        /// And these interfaces have no carrier.
        case networkChanged(silent: Set<Int32>)
    }

    package init(
        uplinks settings: [Settings.Uplink], failover: Settings.Failover = Settings.Failover(),
        lan: String? = nil, prober: any Prober, routes: any RouteTable,
        flows: (any FlowTable)? = nil, clock: any MonotonicClock,
        account: ProbeAccount = ProbeAccount(), checker: (any PortalChecker)? = nil,
        gateways: (any GatewayAsker)? = nil, logger: Logger
    ) {
        precondition(settings.count <= RoutePlan.uplinksMax)
        self.prober = prober
        inbox = Inbox(uplinks: settings.count)
        self.routes = routes
        self.flows = flows
        rules = FlowRules(interfaces: settings.map(\.interface), lan: lan)
        self.failover = failover
        self.clock = clock
        self.account = account
        self.checker = checker
        self.gateways = gateways
        portals = Self.portals(settings, checker)
        checkPaces = settings.map { _ in CheckPace() }
        self.logger = logger
        (events, report) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Self.eventsMax))
        let now = clock.now()
        uplinks = settings.map {
            Uplink(
                settings: $0, budget: $0.probeBudget,
                monitor: UplinkMonitor(limits: .init($0), at: now))
        }
        selector = UplinkSelector(
            uplinks: settings.count,
            limits: .init(hold: failover.hold, holdMax: failover.holdMax))
        quality = QualityWatch(
            uplinks: settings.count,
            limits: .init(
                loss: failover.loss, latency: failover.latency, cleanMax: failover.holdMax))
    }

    /// Runs until it is cancelled, which is a normal end; throws `MissingCapability` if it may not change routes.
    package func run() async throws {
        defer { report.finish() }
        do {
            try await withAccount { try await serve() }
        } catch is CancellationError {
            // Stopped.
        }
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
            // Also over rules that are there: an earlier service may have left them for other uplinks.
            if flows != nil { group.addTask { try await self.installRules() } }
            let alarm = Alarm()
            group.addTask { try await Self.timer(alarm) }
            // The next look at the traffic, which wakes this loop anyway.
            var look: Instant?
            repeat {
                try await catchUp { uplink, works in
                    group.addTask { await self.forget(uplink, works) }
                }
                for check in dueChecks() {
                    group.addTask { .checked(check, await self.make(check)) }
                }
                while let number = gatewayWatch.due.popLast() {
                    group.addTask { try await self.askGateway(of: number) }
                }
                alarm.set(wakeUp(before: look))
                guard let input = try await group.next() else { return }
                switch input {
                case .timer:
                    alarm.set(nil)
                    group.addTask { try await Self.timer(alarm) }
                case .answers(let number):
                    takeAnswers(on: number)
                    group.addTask { try await self.nextAnswers(on: number) }
                case .traffic(let counts?):
                    trafficCounted(counts)
                    let next = nextLook()
                    look = next
                    group.addTask { try await self.nextTraffic(at: next) }
                case .traffic(nil):
                    look = nil
                    isCounting = false
                    group.addTask { try await self.installRules() }
                case .rulesInstalled:
                    isCounting = true
                    // Not at once: somebody may take them away again and again.
                    let next = clock.now().next(multipleOf: TrafficWatch.period)
                    group.addTask { try await self.nextTraffic(at: next) }
                case .forgotten(let number, let flows):
                    forgotten(number, flows)
                case .checked(let check, let answer):
                    portalAnswered(check.uplink, check.number, answer)
                case .gateway(let number, let answers):
                    guard gatewayAnswered(number, answers) else { continue }
                    group.addTask { try await self.askGateway(of: number, again: true) }
                case .networkChanged(let silent):
                    carriersLost(silent)
                    isUnsettled = true
                    group.addTask { try await self.nextChange() }
                }
            } while !Task.isCancelled
        }
    }

    private nonisolated func askGateway(of number: Int, again: Bool = false) async throws -> Input {
        .gateway(of: number, answers: try await gatewayAnswers(number, again: again))
    }

    private static func timer(_ alarm: Alarm) async throws -> Input {
        try await alarm.wait()
        return .timer
    }

    private nonisolated func nextChange() async throws -> Input {
        do {
            return .networkChanged(silent: try await routes.waitForChange())
        } catch let error as SystemError {
            logger.warning("network changes are not seen", metadata: ["error": "\(error)"])
            try await clock.sleep(until: clock.now() + Self.retryPause)
        }
        return .networkChanged(silent: [])
    }

    private nonisolated func nextAnswers(on number: Int) async throws -> Input {
        do {
            inbox.add(try await prober.answers(on: number), to: number)
        } catch let error as SystemError {
            logger.warning("probe answers are not heard", metadata: ["error": "\(error)"])
            try await clock.sleep(until: clock.now() + Self.retryPause)
        }
        return .answers(uplink: number)
    }

    private nonisolated func nextTraffic(at moment: Instant) async throws -> Input {
        try await clock.sleep(until: moment)
        do {
            return .traffic(try await flows?.counts(uplinks: await uplinks.count))
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            logger.warning("rules that count traffic are gone", metadata: ["error": "\(error)"])
            return .traffic(nil)
        }
    }

    /// Puts the rules in force that count and mark.
    private nonisolated func installRules() async throws -> Input {
        while true {
            do {
                try await flows?.install(rules)
                return .rulesInstalled
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                logger.warning("traffic is not watched", metadata: ["error": "\(error)"])
                try await clock.sleep(until: clock.now() + Self.retryPause)
            }
        }
    }

    private nonisolated func forget(_ number: Int, _ works: Bool) async -> Input {
        do {
            return .forgotten(
                uplink: number,
                try await flows?.forget(uplink: number, gently: works) {
                    // It may carry again by then: its connections are where they belong.
                    carriesNow.load(ordering: .relaxed) != number
                })
        } catch {
            logger.warning("connections stay on a dead uplink", metadata: ["error": "\(error)"])
            return .forgotten(uplink: number, nil)
        }
    }

    /// Does everything that is due; routes come before the probes that need them, and `forget` for connections right
    /// after the route.
    private func catchUp(_ forget: (Int, Bool) -> Void) async throws {
        if let retryAt, retryAt <= clock.now() {
            self.retryAt = nil
            isUnsettled = true
        }
        repeat {
            try await move()
            doChores(forget)
            if isUnsettled { try await settle() }
            doChores(forget)
            await hearTraffic()
            noteWhetherAnyIsUp()
            for number in uplinks.indices {
                hearAnswers(on: number)
                pace(number)
                perform(uplinks[number].monitor.timePassed(at: clock.now()), number)
            }
            lookAtQuality()
            choose(selector.timePassed(at: clock.now()), "good for long enough again")
        } while isUnsettled
    }

    func perform(_ effects: [UplinkMonitor.Effect], _ number: Int) {
        for effect in effects {
            switch effect {
            case .sendProbe(let sequence, let target):
                sendProbe(number, sequence, target)
            case .declare(let standing, let reason):
                declared(number, standing, reason.words)
            }
        }
        guard hasStarted else { return }
        noteSuspicion(of: number)
    }

    /// Notes why another uplink is chosen; its routes are put in force with the next look.
    func choose(_ effects: [UplinkSelector.Effect], _ reason: String) {
        guard !effects.isEmpty else { return }
        isUnsettled = true
        cause = reason
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
        noteGateway(of: number, standing)
        guard hasStarted else { return }
        if number == inherited {
            // A lost probe says too little for moving a route that has worked until now: the burst decides.
            if standing == .doubtful { return }
            inherited = nil
        }
        defer { portalStanding(number, standing) }
        noteSilence(of: number, standing)
        switch standing {
        case .down, .noLink: chores.failed(number)
        case .up, .recovering: chores.works(number)
        case .untried, .doubtful: break
        }
        let isDown = standing == .down || standing == .noLink
        choose(
            selector.standingChanged(number, to: standing, at: clock.now()),
            isDown ? reason : "\(name): \(reason)")
    }

    private func noteSilence(of number: Int, _ standing: UplinkMonitor.Standing) {
        guard number == selector.carrying else { return }
        switch standing {
        case .down, .noLink: carryingIsSilent = true
        case .recovering, .up:
            guard carryingIsSilent else { return }
            // Connections over it may wait for long until they try again: say that it is worth it.
            (carryingIsSilent, lastSelected) = (false, nil)
            isUnsettled = true
        case .untried, .doubtful: break
        }
    }
}
