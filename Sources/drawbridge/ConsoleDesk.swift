import Base
import Configuration
import Console
import Egress
import Firewall
import Linux
import Settings

/// Answers what the command line asks.
struct ConsoleDesk: Sendable {
    let house: House
    let watch: StatusWatchService
    let doctor: DoctorService
    let configuration: ConfigurationService
    let drill: DrillDesk
    let events: EventLogService
    let sticks = StickDesk()

    func answer(_ request: ConsoleRequest) async -> ConsoleReply {
        switch request.command {
        case ConsoleRequest.egress.command: return await egress()
        case ConsoleRequest.confirm.command: return await confirm()
        case ConsoleRequest.config.command: return await config()
        case ConsoleRequest.stickCommand:
            return await sticks.answer(request, at: house.clock.now(), events)
        default: break
        }
        let cursors = CursorDesk(recorder: house.recorder.tenant)
        if let reply = await cursors.answer(request) { return reply }
        if let reply = await drill.answer(request, self) { return reply }
        let status = await watch.document()
        guard request.command == ConsoleRequest.doctor.command else {
            return ConsoleReply(to: request, status: status)
        }
        let report = await doctor.walk(await plan(status), status)
        return report.map { ConsoleReply(doctor: $0) }
            ?? ConsoleReply(error: "another doctor is at work: wait until it has finished")
    }

    /// What is open is asked of the kernel; the names behind it, of the resolver.
    private func egress() async -> ConsoleReply {
        let names = await house.egress.tenant.status().opened
        do {
            let open = try await house.firewall.openAddresses().map { open in
                EgressTable.Opening(
                    address: open.address, openSeconds: Int(open.remaining.inSeconds),
                    names: names.first { $0.address == open.address }?.names ?? [])
            }
            return ConsoleReply(egress: EgressTable(house.settings, open: open))
        } catch {
            return ConsoleReply(error: "\(error)")
        }
    }

    private func config() async -> ConsoleReply {
        let running = await configuration.running()
        return ConsoleReply(
            config: ConsoleConfig(
                files: running.sources.map {
                    .init(name: $0.name, text: String(decoding: $0.bytes, as: UTF8.self))
                }, number: running.status.number, reads: running.reads,
                trialSeconds: running.status.trialEnds.map {
                    Int(max(0, ($0 - house.clock.now()).inSeconds))
                }, refused: running.status.refused))
    }

    private func confirm() async -> ConsoleReply {
        do {
            return ConsoleReply(text: try await configuration.confirm())
        } catch {
            return ConsoleReply(error: "\(error)")
        }
    }
}
