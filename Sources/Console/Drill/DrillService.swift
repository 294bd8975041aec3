package import Base
import Linux

/// What a drill needs to know besides what the doctor does.
package struct DrillPlan: Sendable {
    package var doctor: DoctorPlan
    /// The uplinks to be tried, by name.
    package var names: [String]
    /// Those that are left out, and why.
    package var leftOut: [String: String] = [:]
    /// Why no session is begun; nil: one is.
    package var sessionLeftOut: String?
    /// Whom we speak TLS with, and as whom.
    package var certificate: String
    package var key: String
    package var pins: [SPKIPin]

    package init(
        doctor: DoctorPlan, names: [String], certificate: String, key: String, pins: [SPKIPin]
    ) {
        self.doctor = doctor
        self.names = names
        self.certificate = certificate
        self.key = key
        self.pins = pins
    }
}

/// Proves the standbys by a session over each of them, while everything else goes where it went.
package actor DrillService {
    /// What the command line waits: the doctor's walk, a session, and some.
    package static let drillMax = Duration.seconds(60)
    /// How often it is asked whether another uplink carries meanwhile.
    private static let lookEvery = Duration.milliseconds(200)

    private let resolve: @Sendable (DomainName) async throws -> [IPv4Address]
    private let carrying: @Sendable () async -> String?
    private let account: @Sendable (_ bytes: Int, _ uplink: String) async -> Void
    private let probe: Probe
    private let clock: any MonotonicClock
    private var isBusy = false
    /// The last one that was not given up, and when it ended.
    package private(set) var last: (report: DrillReport, at: Instant)?

    /// `resolve` also opens the address in the firewall; `carrying` names the uplink that carries; `account` hears what was
    /// sent over each uplink, also by a drill that is given up.
    package init(
        clock: any MonotonicClock,
        resolve: @escaping @Sendable (DomainName) async throws -> [IPv4Address],
        carrying: @escaping @Sendable () async -> String?,
        account: @escaping @Sendable (_ bytes: Int, _ uplink: String) async -> Void
    ) {
        self.init(
            clock: clock, resolve: resolve, carrying: carrying, account: account,
            probe: { await UplinkProbe(plan: $0, uplink: $1, broker: $2).run() })
    }

    /// The doctor's walk over one uplink.
    typealias Probe =
        @Sendable (DoctorPlan, DoctorPlan.Uplink, _ broker: IPv4Address?) async ->
        DoctorFindings.Uplink

    init(
        clock: any MonotonicClock,
        resolve: @escaping @Sendable (DomainName) async throws -> [IPv4Address],
        carrying: @escaping @Sendable () async -> String?,
        account: @escaping @Sendable (_ bytes: Int, _ uplink: String) async -> Void,
        probe: @escaping Probe
    ) {
        self.clock = clock
        self.resolve = resolve
        self.carrying = carrying
        self.account = account
        self.probe = probe
    }

    /// nil: another drill is under way.
    package func run(_ plan: DrillPlan, _ status: StatusDocument) async -> DrillReport? {
        guard !isBusy else { return nil }
        isBusy = true
        defer { isBusy = false }
        var report = DrillReport(device: plan.doctor.device)
        let uplinks = await untilAnotherCarries { await self.walk(plan, status) }
        if let uplinks {
            report.uplinks = uplinks
            last = (report, clock.now())
        } else {
            report.aborted =
                await carrying() == nil
                ? "no uplink carries any more"
                : "another uplink carries since; the switch goes first, so try again"
        }
        return report
    }

    /// nil: another uplink came to carry before its end.
    private func untilAnotherCarries<R: Sendable>(
        _ body: @escaping @Sendable () async -> R
    ) async -> R? {
        let before = await carrying()
        return await withTaskGroup(of: R?.self) { group in
            group.addTask { await body() }
            group.addTask { [carrying, clock] in
                while await carrying() == before {
                    guard (try? await clock.sleep(until: clock.now() + Self.lookEvery)) != nil
                    else { break }
                }
                return nil
            }
            defer { group.cancelAll() }
            guard let first = await group.next() else { return nil }
            // Between two looks.
            return await carrying() == before ? first : nil
        }
    }

    private nonisolated func walk(_ plan: DrillPlan, _ status: StatusDocument) async
        -> [DrillReport.Uplink]
    {
        var findings = DoctorFindings()
        do {
            findings.brokerAddress = try await resolve(plan.doctor.brokerHost).first
        } catch {
            findings.resolveTrouble = "\(error)"
        }
        let diagnosis = Diagnosis(plan: plan.doctor, findings: findings, status: status)
        return await withTaskGroup(of: (Int, DrillReport.Uplink).self) { group in
            for (index, uplink) in plan.doctor.uplinks.enumerated()
            where plan.names.contains(uplink.name) {
                group.addTask { (index, await self.walk(uplink, plan, diagnosis)) }
            }
            var found: [(Int, DrillReport.Uplink)] = []
            for await one in group { found.append(one) }
            return found.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private nonisolated func walk(
        _ uplink: DoctorPlan.Uplink, _ plan: DrillPlan, _ diagnosis: Diagnosis
    ) async -> DrillReport.Uplink {
        if let why = plan.leftOut[uplink.name] {
            return DrillReport.Uplink(
                name: uplink.name, interface: uplink.interface,
                steps: [diagnosis.skipped("link", why)], milliseconds: 0, bytes: 0)
        }
        let begun = clock.now()
        let broker = diagnosis.findings.brokerAddress
        let found = await probe(plan.doctor, uplink, broker)
        var greeting: DoctorFindings.Greeting?
        if case .shown(let certificate) = found.tls, certificate.trust == .trusted, let broker,
            let source = uplink.address, !Task.isCancelled
        {
            if let why = plan.sessionLeftOut {
                greeting = .leftOut(why)
            } else {
                greeting = await SessionProbe(plan: plan, clock: clock).run(
                    broker, over: uplink.interface, from: source)
            }
        }
        let walked = diagnosis.drill(found, greeting: greeting, took: clock.now() - begun)
        await account(walked.bytes, walked.name)
        return walked
    }
}
