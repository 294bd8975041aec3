package import Base
import Linux

/// Walks from the link to the clock, on every uplink at the same time.
package actor DoctorService {
    private let resolve: @Sendable (DomainName) async throws -> [IPv4Address]
    private var isBusy = false

    /// Bounds of one walk: so long for each exchange, and again for the handshake.
    package static let patience = Duration.seconds(4)
    /// What the command line waits.
    package static let walkMax = Duration.seconds(40)

    /// `resolve` also opens the address in the firewall.
    package init(resolve: @escaping @Sendable (DomainName) async throws -> [IPv4Address]) {
        self.resolve = resolve
    }

    /// nil: another walk is under way.
    package func walk(_ plan: DoctorPlan, _ status: StatusDocument) async -> DoctorReport? {
        guard !isBusy else { return nil }
        isBusy = true
        defer { isBusy = false }
        var findings = DoctorFindings()
        do {
            findings.brokerAddress = try await resolve(plan.brokerHost).first
        } catch {
            findings.resolveTrouble = "\(error)"
        }
        let broker = findings.brokerAddress
        findings.uplinks = await withTaskGroup(of: (Int, DoctorFindings.Uplink).self) { group in
            for (index, uplink) in plan.uplinks.enumerated() {
                group.addTask {
                    (index, await UplinkProbe(plan: plan, uplink: uplink, broker: broker).run())
                }
            }
            var found: [(Int, DoctorFindings.Uplink)] = []
            for await one in group { found.append(one) }
            return found.sorted { $0.0 < $1.0 }.map(\.1)
        }
        findings.diskFree = (try? FileSystemSpace(of: plan.recorderDirectory))?.free
        findings.wallMilliseconds = SystemClock().wall().milliseconds
        findings.isClockKept = ClockFacts.isSynchronised()
        return Diagnosis(plan: plan, findings: findings, status: status).report()
    }
}
