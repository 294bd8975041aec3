import Base
import Cloud
import Egress
import Firewall
import Linux
import Logging
import Machines
import Recorder
import Settings
import Uplinks

/// How a room is built, with the doors to the others. A door leads to whoever lives behind it when it is used.
extension House {
    typealias Logs = @Sendable (String) -> Logger

    static func makeEgress(
        _ part: EgressPart, _ firewall: FirewallService, _ clock: SystemClock, _ logs: Logs
    ) -> EgressService {
        EgressService(
            dns: part.dns, allowed: part.allowed, forbidden: part.forbidden, opener: firewall,
            clock: clock, logger: logs("egress"))
    }

    static func makeRemote(
        _ part: RemotePart, _ gate: GateLease?, _ egress: Slot<EgressPart, EgressService>,
        _ logs: Logs
    ) throws -> RemoteAccess? {
        try RemoteAccess(
            part, gate: gate, resolve: { try await egress.tenant.resolve($0) }, logs)
    }

    static func makeUplinks(
        _ part: UplinksPart, _ egress: Slot<EgressPart, EgressService>, _ clock: SystemClock,
        _ logs: Logs
    ) throws -> UplinksService {
        try UplinksService(
            uplinks: part.uplinks, failover: part.failover, lan: part.lan, clock: clock,
            account: ProbeAccount(path: part.stateDirectory + ProbeAccount.fileName),
            checker: HTTPPortalChecker(clock: clock) { host, path throws(PortalTrouble) in
                try await locate(host, over: path, egress)
            }, logger: logs("uplinks"))
    }

    /// Where the server of a check is, as an uplink's own network says.
    private static func locate(
        _ host: DomainName, over path: UplinkPath, _ egress: Slot<EgressPart, EgressService>
    ) async throws(PortalTrouble) -> [IPv4Address] {
        do throws(EgressError) {
            return try await egress.tenant.locate(host, over: path.interface, from: path.address)
        } catch {
            if case .addressForbidden(_, let address) = error {
                throw PortalTrouble.deceived(address)
            }
            throw PortalTrouble.unknown("\(error)")
        }
    }

    static func makeMachines(
        _ machines: [Settings.Machine],
        _ recorder: Slot<Settings.Recorder, RecorderKeeperService>, _ clock: SystemClock,
        _ logs: Logs
    ) -> MachinesService {
        MachinesService(
            machines: machines, sink: { try await recorder.tenant.append($0) }, clock: clock,
            logger: logs("machines"))
    }

    static func makeCloud(
        _ part: CloudPart, _ records: RecorderKeeperService, _ clock: SystemClock, _ logs: Logs
    ) -> CloudService {
        CloudService(
            settings: part.cloud, device: part.device, machines: part.machines, records: records,
            clock: clock, wall: { clock.wall() }, logger: logs("cloud"))
    }

    /// For a place where nobody lives.
    static func untilCancelled() async throws {
        for await _ in AsyncStream<Never>.makeStream().stream {}
    }
}
