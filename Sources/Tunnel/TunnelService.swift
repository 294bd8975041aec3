package import Base
import Glibc
import Linux
package import Logging
package import Settings

/// Keeps OpenVPN connected while remote access is allowed, and ended while it is not.
package actor TunnelService {
    package typealias Resolve = @Sendable (DomainName) async throws -> [IPv4Address]

    package enum Limits {
        /// From SIGTERM to SIGKILL. The firewall's gate has been shut before.
        package static let stopGrace = Duration.milliseconds(100)
        /// Lookups that may run at the same time, after quick changes of the uplink.
        package static let lookupsMax = 4
        /// Requests for a credential that may run at the same time, after quick turns of the key.
        package static let enrolmentsMax = 4
    }

    /// Whether a session stands, each time that this changes or that none could be had. One listener.
    package nonisolated let sessions: AsyncStream<Bool>
    let report: AsyncStream<Bool>.Continuation

    let settings: Settings.VPN
    let managementPath: String
    private let resolve: Resolve
    /// Nil: all sessions use the same certificate.
    let enrolment: (any Enrolment)?
    private let command: [String]
    let device: any TunnelDevice
    private let privileges: ChildProcess.Privileges
    let logger: Logger
    let clock = SystemClock()
    /// Wakes `run` when one of the orders below is new.
    private let bell = Doorbell()

    var supervisor: TunnelSupervisor
    var random = SystemRandomNumberGenerator()
    private var alarm: Instant?
    var killAt: Instant?
    private var lookupIsDue = false
    private var lookups = 0
    private var enrolmentIsDue = false
    var enrolments = 0
    var credentials = CredentialShelf()
    private var unattended: OpenVPNChild?
    var child: OpenVPNChild?
    var connection: ManagementConnection?
    /// For the proxy, as long as OpenVPN runs.
    var proxyLogin: ProxyLogin?
    /// The device's count when the session began.
    var trafficBefore = TunnelTraffic()

    var trouble = TunnelTrouble()
    var wish = "remote access is not allowed"
    var lastReason: String?
    var attempts = 0
    var phase = TunnelSupervisor.Phase.forbidden
    var since: Instant

    /// `launcher` comes before OpenVPN's own command line; it must end by executing the rest in its place,
    /// as `nsenter` does. As that needs privileges, OpenVPN keeps them then; otherwise it has none.
    package init(
        settings: Settings.VPN, runDirectory: String, resolve: @escaping Resolve,
        launcher: [String] = [], device: (any TunnelDevice)? = nil, logger: Logger
    ) {
        // Only the last word counts.
        (sessions, report) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.settings = settings
        managementPath = runDirectory + "/vpn.sock"
        self.resolve = resolve
        enrolment = settings.enrolment.map {
            EnrolmentClient(server: $0, identity: settings.identity, resolve: resolve)
        }
        supervisor = TunnelSupervisor(enrols: enrolment != nil)
        command = launcher + ["/usr/sbin/openvpn"]
        privileges = launcher.isEmpty ? .none : .ours
        self.device = device ?? KernelTunnelDevice(settings)
        self.logger = logger
        since = clock.now()
    }

    // MARK: wishes

    package func allow() {
        if !supervisor.isAllowed { lastReason = nil }
        carryOut(supervisor.allowed(at: clock.now()))
    }

    package func forbid(reason: String = "remote access is not allowed") {
        wish = reason
        carryOut(supervisor.forbidden())
    }

    /// The router's way out is another one: the session moves at once.
    package func uplinkChanged() {
        if phase == .connected { lastReason = "moving to another uplink" }
        carryOut(supervisor.uplinkChanged(at: clock.now()))
    }

    // MARK: running

    /// Runs until it is cancelled; no OpenVPN of ours is left when it returns.
    package func run() async throws {
        let socket = try ManagementSocket(path: managementPath)
        try await withThrowingDiscardingTaskGroup { group in
            while try await nextOrder() {
                if lookupIsDue {
                    lookupIsDue = false
                    lookups += 1
                    group.addTask { await self.lookUp() }
                }
                if enrolmentIsDue {
                    enrolmentIsDue = false
                    enrolments += 1
                    group.addTask { await self.enrol() }
                }
                if let child = unattended {
                    unattended = nil
                    group.addTask { await self.attend(child, socket) }
                }
            }
            carryOut(supervisor.forbidden())
            if let child {
                if unattended != nil { group.addTask { await self.attend(child, socket) } }
                unattended = nil
                _ = await child.process.stop(grace: Limits.stopGrace)
            }
            group.cancelAll()
        }
    }

    /// Waits until there is something to start; false when the task is cancelled.
    private func nextOrder() async throws -> Bool {
        let deadline = [alarm, killAt].compactMap { $0 }.min()
        do {
            _ = try await Reactor.shared.wait(
                for: .readable, on: bell.descriptor, until: deadline)
        } catch is CancellationError {
            return false
        }
        bell.silence()
        let now = clock.now()
        if let due = killAt, now >= due {
            killAt = nil
            child?.process.send(signal: SIGKILL)
        }
        if let due = alarm, now >= due {
            alarm = nil
            carryOut(supervisor.timer(at: now, using: &random))
        }
        return true
    }

    private func lookUp() async {
        let name = settings.remote.host
        do {
            let addresses = try await resolve(name)
            lookups -= 1
            if addresses.isEmpty { lastReason = "\(name) has no address" }
            carryOut(supervisor.resolved(addresses, at: clock.now(), using: &random))
        } catch {
            lookups -= 1
            lastReason = "cannot look up \(name): \(error)"
            carryOut(supervisor.resolveFailed(at: clock.now(), using: &random))
        }
    }

    // MARK: effects

    func carryOut(_ effects: [TunnelSupervisor.Effect]) {
        for effect in effects {
            switch effect {
            case .resolve:
                // When too many are under way, one of them will answer, or the timer will.
                lookupIsDue = lookups < Limits.lookupsMax
            case .startChild(let server): start(server)
            case .enrol:
                trouble = TunnelTrouble()
                // When too many are under way, the timer ends the wait.
                enrolmentIsDue = enrolments < Limits.enrolmentsMax
            case .releaseHold:
                attempts += 1
                trouble = TunnelTrouble()
                credentials.use()
                tell("hold release")
            case .restartSession: tell("signal SIGUSR1")
            case .stopChild:
                lastReason = trouble.reason ?? lastReason ?? "the server does not answer in time"
                child?.process.send(signal: SIGTERM)
                killAt = clock.now() + Limits.stopGrace
            case .wakeUp(let time): alarm = time
            }
        }
        if phase != .forbidden, supervisor.phase == .forbidden { credentials.clear() }
        notePhase()
        bell.ring()
    }

    private func start(_ server: IPv4Address) {
        let arguments = OpenVPNArguments.make(
            settings, server: server, managementPath: managementPath)
        trouble = TunnelTrouble()
        do {
            proxyLogin = try settings.proxyLogin.map { path throws(ProxyLoginProblem) in
                try ProxyLogin(path: path)
            }
            try device.make()
            let started = try OpenVPNChild(command + arguments, privileges: privileges)
            child = started
            unattended = started
        } catch {
            lastReason = "\(error)"
            carryOut(supervisor.childExited(at: clock.now(), using: &random))
        }
    }

    /// Sends a command, or one with the lines that belong to it.
    ///
    /// `about` stands for the command where it is told what failed.
    func tell(_ command: String, _ lines: String? = nil, about: String? = nil) {
        do {
            try connection?.send(command, lines, about: about)
        } catch {
            logger.warning("openvpn does not listen", metadata: ["error": "\(error)"])
            child?.process.send(signal: SIGTERM)
        }
    }
}
