import Base
import Console
import Linux
import Logging
import Settings
import Uplinks

/// Has the standbys tried: when somebody says so, and at night if the config file does.
struct DrillDesk: Sendable {
    let house: House
    let service: DrillService
    let events: EventLogService
    let clock: SystemClock

    /// How often it is looked whether the time has come.
    private static let lookEvery = Duration.seconds(60)

    /// Nil: the request is none for this desk.
    func answer(_ request: ConsoleRequest, _ desk: ConsoleDesk) async -> ConsoleReply? {
        guard request.command == ConsoleRequest.drillCommand else { return nil }
        let status = await desk.watch.document()
        let doctor = await desk.plan(status)
        var names = doctor.uplinks.map(\.name).filter { $0 != doctor.carrying?.name }
        if let name = request.arguments?["uplink"] {
            guard doctor.uplinks.contains(where: { $0.name == name }) else {
                let known = doctor.uplinks.map(\.name).joined(separator: ", ")
                return ConsoleReply(
                    error:
                        "there is no uplink \"\(name.prefix(63))\" to be tried; there are \(known)")
            }
            names = [name]
        }
        guard let report = await run(plan(doctor, names), status) else {
            return ConsoleReply(error: "another drill is under way: wait until it has finished")
        }
        return ConsoleReply(drill: report)
    }

    /// Each night at the time that the config file gives at that moment. Runs until cancelled.
    func keepNights(_ desk: ConsoleDesk) async throws {
        var night = NightlyDrill()
        while true {
            try await clock.sleep(until: clock.now() + Self.lookEvery)
            let wall = clock.wall()
            let civil =
                wall >= .clockIsRightFrom
                ? CivilTime(
                    seconds: wall.milliseconds / 1000 + Int64(clock.utcOffsetSeconds())) : nil
            guard night.isDue(house.settings.failover.drill, at: civil, clock.now()) else {
                continue
            }
            let status = await desk.watch.document()
            let doctor = await desk.plan(status)
            let names = doctor.uplinks.map(\.name).filter { $0 != doctor.carrying?.name }
            var plan = plan(doctor, names)
            // Nobody has asked for it: it waits for the next month.
            for uplink in status.uplinks {
                guard let budget = uplink.probeBytesBudget, let used = uplink.probeBytesUsed,
                    used >= budget
                else { continue }
                plan.leftOut[uplink.name] = "not tried: its budget for probes is spent"
            }
            _ = await run(plan, status)
        }
    }

    private func plan(_ doctor: DoctorPlan, _ names: [String]) -> DrillPlan {
        let cloud = house.settings.cloud
        return DrillPlan(
            doctor: doctor, names: names, certificate: cloud.identity.certificate,
            key: cloud.identity.key, pins: cloud.pins)
    }

    private func run(_ plan: DrillPlan, _ status: StatusDocument) async -> DrillReport? {
        guard let report = await service.run(plan, status) else { return nil }
        for uplink in report.uplinks {
            await house.uplinks.tenant.account(for: uplink.bytes, on: uplink.name)
        }
        await events.record([Event(.uplink, who: "drill", report.words)])
        return report
    }
}
