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
        findings.servers = await withTaskGroup(of: (Int, DoctorFindings.Server).self) { group in
            for (index, server) in plan.servers.enumerated() {
                group.addTask { (index, await self.look(at: server, plan)) }
            }
            var found: [(Int, DoctorFindings.Server)] = []
            for await one in group { found.append(one) }
            return found.sorted { $0.0 < $1.0 }.map(\.1)
        }
        findings.diskFree = (try? FileSystemSpace(of: plan.recorderDirectory))?.free
        findings.wallMilliseconds = SystemClock().wall().milliseconds
        findings.isClockKept = ClockFacts.isSynchronised()
        return Diagnosis(plan: plan, findings: findings, status: status).report()
    }

    private func look(at server: DoctorServer, _ plan: DoctorPlan) async -> DoctorFindings.Server {
        var found = DoctorFindings.Server(plan: server)
        let source: IPv4Address?
        switch server.host {
        case .address(let address):
            found.interface = plan.lanInterface
            found.address = address
            source = IPv4Address("0.0.0.0")
        case .name(let name):
            found.interface = plan.carrying?.interface
            source = plan.carrying?.address
            guard found.interface != nil else { return found }
            do {
                found.address = try await resolve(name).first
            } catch {
                found.resolveTrouble = "\(error)"
            }
        }
        guard let interface = found.interface, let address = found.address, let source else {
            return found
        }
        let host =
            switch server.host {
            case .name(let name): "\(name)"
            case .address(let address): "\(address)"
            }
        let probe = ServerProbe(
            host: host, address: address, port: server.port, authority: server.authority,
            interface: interface, source: source)
        (found.connection, found.tls) = await probe.run()
        return found
    }
}
