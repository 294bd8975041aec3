import Base
import Cloud
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
    let logger: Logger

    /// When a night's drill is over, until the end of our own session would be known.
    private static let settleTime = Duration.seconds(2)
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
        guard !house.ways.isCut else {
            return ConsoleReply(
                error: "the key has cut the uplinks: nothing can be tried until it opens them")
        }
        guard let report = await run(plan(doctor, names), status) else {
            return ConsoleReply(error: "another drill is under way: wait until it has finished")
        }
        return ConsoleReply(drill: report)
    }

    /// Each night at the time that the config file gives at that moment. Runs until cancelled.
    func keepNights(_ desk: ConsoleDesk) async throws {
        var night = NightlyDrill()
        var sessionLeftOut: String?
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
            guard !house.ways.isCut else {
                logger.notice(
                    "no drill tonight", metadata: ["reason": "the key has cut the uplinks"])
                continue
            }
            let names = doctor.uplinks.map(\.name).filter { $0 != doctor.carrying?.name }
            var plan = plan(doctor, names)
            plan.sessionLeftOut = sessionLeftOut
            // Nobody has asked for it: it waits for the next month.
            for uplink in status.uplinks {
                guard let budget = uplink.probeBytesBudget, let used = uplink.probeBytesUsed,
                    used >= budget
                else { continue }
                plan.leftOut[uplink.name] = "not tried: its budget for probes is spent"
            }
            let before = await house.cloud.tenant.status()
            guard let report = await run(plan, status), report.aborted == nil,
                sessionLeftOut == nil, report.isSessionTried, before.isConnected
            else { continue }
            try await clock.sleep(until: clock.now() + Self.settleTime)
            let after = await house.cloud.tenant.status()
            guard !after.isConnected || after.since != before.since else { continue }
            // A broker may know its clients by their certificates alone, and end the older session for the newer one.
            sessionLeftOut = "left out: our own session has ended during a drill"
            logger.warning(
                "our session ended during a drill: from now on the nights leave out the step mqtt",
                metadata: ["reason": "\(after.lastError ?? after.reason)"])
        }
    }

    private func plan(_ doctor: DoctorPlan, _ names: [String]) -> DrillPlan {
        let cloud = house.settings.cloud
        return DrillPlan(
            doctor: doctor, names: names, certificate: cloud.identity.certificate,
            key: cloud.identity.key, pins: cloud.pins)
    }

    private func run(_ plan: DrillPlan, _ status: StatusDocument) async -> DrillReport? {
        guard var report = await service.run(plan, status) else { return nil }
        if report.aborted != nil, house.ways.isCut {
            report.aborted = "the key has cut the uplinks"
        }
        await events.record([Event(.uplink, who: "drill", report.words)])
        return report
    }
}
