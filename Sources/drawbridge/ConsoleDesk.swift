import Base
import Console
import Settings

/// Answers what the command line asks.
struct ConsoleDesk: Sendable {
    let house: House
    let watch: StatusWatchService
    let doctor: DoctorService

    func answer(_ request: ConsoleRequest) async -> ConsoleReply {
        let status = await watch.document()
        guard request.command == ConsoleRequest.doctor.command else {
            return ConsoleReply(to: request, status: status)
        }
        let report = await doctor.walk(plan(status), status)
        return report.map { ConsoleReply(doctor: $0) }
            ?? ConsoleReply(error: "another doctor is at work: wait until it has finished")
    }

    private func plan(_ status: StatusDocument) -> DoctorPlan {
        let settings = house.settings
        return DoctorPlan(
            device: settings.device.name,
            uplinks: status.uplinks.map {
                DoctorPlan.Uplink(
                    name: $0.name, interface: $0.interface,
                    address: $0.address.flatMap { IPv4Address($0) },
                    gateway: $0.gateway.flatMap { IPv4Address($0) })
            },
            nameServers: settings.dns.servers, brokerHost: settings.cloud.broker.host,
            brokerPort: settings.cloud.broker.port.port,
            authority: settings.cloud.identity.authority,
            recorderDirectory: settings.recorder.directory)
    }
}
