import Base
import Cloud
import Configuration
import Console
import Egress
import Firewall
import KillSwitch
import Linux
import Machines
import Recorder
import Settings
import Tunnel
import Uplinks

/// Gathers what each room says of itself into the one document that the console shows.
struct StatusReport: Sendable {
    let house: House
    let health: HealthDoor
    let subscribe: SubscribeDoor
    let configuration: ConfigurationService
    let lan: LANWatchService
    let drill: DrillService
    let begun: Instant
    let clock: any MonotonicClock

    private var remote: RemoteAccess? { house.remote.tenant }

    /// The state at this moment. For a quick look recorder, names and config, which would wake a thread each, are as they were
    /// before; the firewall's rules are compared only for who asks: `FirewallService.keep` does it all the time.
    func document(_ look: StatusWatchService.Look) async -> StatusDocument {
        let previous: StatusDocument? = if case .quick(let before) = look { before } else { nil }
        let isAsked = if case .asked = look { true } else { false }
        let now = clock.now()
        let time = SystemClock()
        var document = StatusDocument()
        document.device = house.settings.device.name
        document.softwareVersion = Drawbridge.version
        document.uptimeSeconds = seconds(since: begun, now)
        document.timeMilliseconds = time.wall().milliseconds
        document.utcOffsetSeconds = time.utcOffsetSeconds()
        document.isReady = true
        let links = await house.uplinks.tenant.status()
        document.uplinks = links.uplinks.map { uplink($0, now) }
        document.uplinkSwitches = UInt64(links.switches)
        document.uplinkHistory = links.history.map {
            .init(
                secondsAgo: seconds(since: $0.at, now), from: $0.from, to: $0.to, cause: $0.cause,
                blackoutMilliseconds: $0.blackout?.milliseconds, resets: $0.resets)
        }
        document.drill = await drill.last.map {
            .init($0.report, secondsAgo: seconds(since: $0.at, now))
        }
        document.firewall = await firewallSection(comparing: isAsked)
        document.machines = await
            (house.machines.tenant.status()
            + subscribe.status + health.status).map(machine)
        document.lan = lanSection(await lan.status(), now)
        document.cloud = cloudSection(await house.cloud.tenant.status(), now)
        if let previous {
            document.recorder = previous.recorder
            document.egress = previous.egress
            document.configuration = previous.configuration
        } else {
            document.recorder = recorderSection(await house.recorder.tenant.status())
            document.egress = egressSection(await house.egress.tenant.status(), now)
            document.configuration = configurationSection(await configuration.status(), now)
        }
        let failures = house.failures.map {
            StatusDocument.Failure(
                room: $0.room, reason: $0.cause,
                retrySeconds: $0.retryAt.map { Int(max(0, ($0 - now).inSeconds)) } ?? 0)
        }
        document.failures = failures.isEmpty ? nil : failures
        if let remote {
            if let tunnel = remote.tunnel {
                document.tunnel = tunnelSection(await tunnel.status(), now)
            }
            document.keySwitch = switchSection(
                remote.keySwitch.status(), document.firewall, remote.gate, now)
            if let lamp = remote.lamp?.service.status() {
                document.keySwitch?.lamp = lamp.trouble ?? (lamp.isOn ? "on" : "off")
                document.keySwitch?.isLampBroken = lamp.trouble != nil
            }
        }
        if house.ways.isCut { showCut(&document) }
        document.problems = problems(in: document, routes: links.problem)
        document.state =
            !document.firewall.isInForce
            ? .closed : document.problems.isEmpty ? .ok : .degraded
        return document
    }

    private func seconds(since begin: Instant, _ now: Instant) -> Int {
        Int(max(0, (now - begin).inSeconds))
    }

    private func configurationSection(
        _ status: ConfigurationStatus, _ now: Instant
    ) -> StatusDocument.Configuration {
        var section = StatusDocument.Configuration()
        section.file = status.file
        section.number = status.number
        section.sinceSeconds = seconds(since: status.since, now)
        section.touched = status.touched
        section.refused = status.refused
        section.trialSeconds = status.trialEnds.map { Int(max(0, ($0 - now).inSeconds)) }
        return section
    }

    private func uplink(_ status: UplinksStatus.Uplink, _ now: Instant) -> StatusDocument.Uplink {
        var section = StatusDocument.Uplink(name: status.name)
        section.interface = status.interface
        section.address = status.address?.description
        section.gateway = status.gateway?.description
        section.isUp = status.isUp
        section.isCarrying = status.isCarrying
        section.rttMilliseconds = status.roundTripTime?.milliseconds
        section.lossPercent = status.lossPercent
        section.reason = status.reason
        section.sinceSeconds = seconds(since: status.since, now)
        section.bursts = status.bursts
        section.jitterMilliseconds = status.jitter?.milliseconds
        section.probesMilliseconds = status.history.map { $0?.milliseconds }
        section.targets = status.targets.map(\.description)
        section.silentTargets = status.targets.filter { status.silentTargets.contains($0.address) }
            .map(\.description)
        section.heldSeconds = status.heldUntil.map { Int(max(0, ($0 - now).inSeconds)) }
        section.login = status.login
        section.poorness = status.poorness
        section.probeBytesBudget = status.budget?.bytes
        section.probeBytesUsed = status.budget?.used
        section.probeIntervalMilliseconds = status.budget?.interval.milliseconds
        return section
    }

    private func firewallSection(comparing: Bool) async -> StatusDocument.Firewall {
        var section = StatusDocument.Firewall()
        do {
            let status = try await house.firewall.status(
                alarm: house.settings.firewall.alarm, comparing: comparing)
            section.isInForce = status.isInForce
            section.state = status.isInForce ? "in force" : "changed by somebody else"
            section.counters = status.dropped.map {
                .init(name: $0.name, packets: $0.packets, bytes: $0.bytes)
            }
            section.isGateOpen = try remote?.gate.isOpen() ?? false
            section.foreignChanges = status.foreignChanges
            section.foreignChangeBy = status.foreignChangeBy
            section.exceptions = exceptions(status)
            security(status, &section)
        } catch {
            section.state = "\(error)"
        }
        return section
    }

    private func exceptions(_ status: FirewallStatus) -> [StatusDocument.Firewall.Exception] {
        let (now, wall) = (clock.now(), SystemClock().wall())
        let allowed = house.settings.firewall.allowed.enumerated().map { number, allow in
            let hit = status.exceptions.first { $0.number == number }
            return StatusDocument.Firewall.Exception(
                comment: allow.comment, words: "\(allow)", packets: hit?.packets ?? 0,
                lastSecondsAgo: hit?.lastAt.map { seconds(since: $0, now) },
                isOver: allow.until.map { $0 <= wall } ?? false,
                isClosed: allow.isClosed(at: wall, SystemClock.zone),
                opensSeconds: allow.opensSeconds(after: wall, SystemClock.zone))
        }
        let openings = house.settings.firewall
        let others =
            openings.forwards.map { ($0.comment, "\($0)") }
            + openings.translations.map { ($0.comment, "\($0)") }
        let forwards = zip(others, status.forwarded).map { other, counter in
            StatusDocument.Firewall.Exception(
                comment: other.0, words: other.1, packets: counter.packets, lastSecondsAgo: nil,
                isOver: false)
        }
        return allowed + forwards
    }

    private func egressSection(
        _ status: EgressStatus, _ now: Instant
    ) -> StatusDocument.Egress {
        var section = StatusDocument.Egress()
        section.names = status.names.map(\.name.description)
        section.refused = status.refused.reduce(UInt64(status.refusedOthers)) {
            $0 + UInt64($1.count)
        }
        section.refusedNames = status.refused.prefix(5).map(\.name.description)
        section.askers = status.askers.map {
            .init(
                uid: $0.asker.uid, user: $0.asker.user, program: $0.asker.program,
                refused: UInt64($0.count), lastName: $0.name)
        }
        section.overloaded = UInt64(status.overloaded)
        section.servers = house.settings.dns.servers.map(\.description)
        section.serversAnswer = status.serversAnswer
        section.serversSilentSeconds = status.silentSince.map { seconds(since: $0, now) }
        return section
    }

    private func cloudSection(_ status: CloudStatus, _ now: Instant) -> StatusDocument.Cloud {
        var section = StatusDocument.Cloud()
        section.isConnected = status.isConnected
        section.reason = status.reason
        section.sinceSeconds = seconds(since: status.since, now)
        section.deliveredRecords = status.delivered
        section.backlogRecords = status.backlog
        section.inFlightRecords = status.inFlight
        section.lastError = status.lastError
        return section
    }

    private func tunnelSection(_ status: TunnelStatus, _ now: Instant) -> StatusDocument.Tunnel {
        var section = StatusDocument.Tunnel()
        section.state = status.state.rawValue
        section.isConnected = status.state == .connected
        section.address = status.address?.description
        section.reason = status.reason
        section.sinceSeconds = seconds(since: status.since, now)
        section.server = status.server?.description
        section.restarts = status.restarts
        section.certificate = status.certificate?.serial
        section.inwardBytes = status.traffic?.inward
        section.outwardBytes = status.traffic?.outward
        section.certificateSeconds = status.certificate.map { seconds(since: now, $0.endsAt) }
        return section
    }

    /// Rooms that the key has put to rest would only say that they have not begun.
    private func showCut(_ document: inout StatusDocument) {
        for index in document.uplinks.indices {
            document.uplinks[index].isUp = false
            document.uplinks[index].isCarrying = false
            document.uplinks[index].reason = "cut by the key, and not probed"
        }
        document.cloud.isConnected = false
        document.cloud.reason = "the key has cut all uplinks"
        document.tunnel?.reason = "the key has cut all uplinks"
    }

    private func switchSection(
        _ status: SwitchStatus, _ firewall: StatusDocument.Firewall, _ gate: GateLease,
        _ now: Instant
    ) -> StatusDocument.KeySwitch {
        var section = StatusDocument.KeySwitch()
        switch status.position {
        case .on: section.position = .on
        case .online: section.position = .online
        case .off: section.position = .off
        case .unknown: section.position = .unknown
        }
        section.isSettling = status.isSettling ? true : nil
        section.isGateOpen = firewall.isGateOpen
        section.disables = house.settings.keySwitch?.disables.rawValue ?? "vpn"
        // A table that is not there lets nothing pass.
        section.areUplinksOpen =
            (try? gate.areUplinksOpen()) ?? (section.disables == "wan" ? false : nil)
        // "the key is on" would only repeat the position.
        section.reason =
            status.gateTrouble
            ?? (section.position == .unknown || status.isTimeUp ? status.reason : "")
        section.remainingSeconds =
            status.isTimeUp ? 0 : status.ends.map { max(1, seconds(since: now, $0)) }
        section.changes = UInt64(status.changes)
        section.line = status.line
        section.level = status.level?.rawValue
        section.remoteLevel = status.remoteLevel?.rawValue
        section.sinceSeconds = seconds(since: status.since, now)
        section.leaseAgeMilliseconds = status.renewed.map { max(0, (now - $0).milliseconds) }
        section.cutCount = UInt64(status.cutCount)
        section.cuts = status.cuts.map {
            .init(
                secondsAgo: seconds(since: $0.at, now),
                latencyMilliseconds: $0.latency?.milliseconds)
        }
        section.schedule = status.schedule.rawValue
        section.isMemoryLocked = status.memoryIsLocked
        section.isBrokenWireOff = status.brokenWireIsOff
        section.closesWithDaemon = gate.holdsGrant
        return section
    }

    /// What a person must know, the most important first. A key that is off is no problem: it is an order.
    private func problems(in document: StatusDocument, routes: String?) -> [String] {
        var problems: [String] = []
        if !document.firewall.isInForce { problems.append("firewall: \(document.firewall.state)") }
        problems += (document.firewall.signs ?? []).map(StatusText.trouble)
        problems += (document.failures ?? []).map(\.words)
        if let first = document.configuration.refused.first {
            let more = document.configuration.refused.count - 1
            problems.append(
                "config refused, the one before runs: \(first)"
                    + (more > 0 ? " (and \(more) more)" : ""))
        }
        if let seconds = document.configuration.trialSeconds {
            problems.append(
                "config on trial, taken back in \(seconds) s unless the cloud session works over it, "
                    + "or somebody says `drawbridge confirm`")
        }
        if let key = document.keySwitch, key.position == .unknown {
            problems.append("switch: \(key.reason)")
        }
        if let key = document.keySwitch, let lamp = key.lamp, key.isLampBroken ?? false {
            problems.append("session lamp: \(lamp)")
        }
        if let routes { problems.append("routes: \(routes)") }
        // What needs an uplink does not work while the key has cut them, and shall not.
        let isCut = document.keySwitch?.cutsUplinks ?? false
        if !isCut {
            problems += document.uplinks.filter { !$0.isUp }.map {
                "uplink \($0.name): \($0.reason)"
            }
            problems += document.uplinks.filter(\.isUp).flatMap(uplinkProblems)
        }
        if !document.recorder.isRecording {
            problems.append("recorder: \(document.recorder.state)")
        }
        problems += document.machines.compactMap { StatusText.trouble($0, at: LocalTime(document)) }
        if let lan = document.lan {
            problems += StatusText.troubles(lan, at: LocalTime(document))
        }
        if let drill = document.drill, !drill.isGood {
            problems.append("last drill: \(drill.words); \"drawbridge uplinks drill\" says more")
        }
        if isCut { return problems }
        if let trouble = StatusText.trouble(document.egress, at: LocalTime(document)) {
            problems.append(trouble)
        }
        if !document.cloud.isConnected { problems.append("cloud: \(document.cloud.reason)") }
        if let tunnel = document.tunnel, !tunnel.isConnected, document.keySwitch?.position == .on,
            document.keySwitch?.isTimeUp == false
        {
            problems.append("vpn: \(tunnel.reason)")
        }
        return problems
    }

    /// What is wrong with an uplink that is up.
    private func uplinkProblems(_ uplink: StatusDocument.Uplink) -> [String] {
        var problems = uplink.login.map { ["uplink \(uplink.name) \($0)"] } ?? []
        if let poorness = uplink.poorness {
            problems.append("uplink \(uplink.name) serves badly: \(poorness)")
        }
        let silent = uplink.silentTargets ?? []
        if !silent.isEmpty, silent.count < (uplink.targets ?? []).count {
            problems.append(
                "uplink \(uplink.name): \(silent.joined(separator: ", ")) does not answer, others do"
            )
        }
        return problems
    }
}
