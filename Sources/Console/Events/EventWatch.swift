package import Base

/// Tells events from two looks at the house.
///
/// A look comes every few seconds and whenever something has happened: what turned twice between two looks shows in the counters.
package struct EventWatch: Sendable {
    private var last: (document: StatusDocument, at: Instant)?
    /// The key as it was seen at rest last: while it moves nobody knows where to.
    private var restingKey: StatusDocument.KeySwitch?
    /// When each counter of dropped packets was last told of, and what it was then.
    private var told: [String: (at: Instant, packets: UInt64)] = [:]
    var toldRefusals: (at: Instant, count: UInt64)?
    /// The same for each program that asks, by user and name.
    var toldAskers: [String: (at: Instant, count: UInt64)] = [:]
    /// When changes of the firewall by others were told of last, and how many there had been.
    private var toldForeign: (at: Instant, count: Int) = (.boot - securityPause, 0)
    /// Why remote access could not be had, as it was told last.
    private var toldTrouble: (at: Instant, reason: String)?

    /// What an attacker repeats is told at most this often, with a count.
    static let securityPause = Duration.seconds(600)

    package init() {}

    package mutating func handle(_ now: StatusDocument, at time: Instant) -> [Event] {
        defer { last = (now, time) }
        guard let (last, before) = last else {
            // What was counted before the daemon began was told then.
            for counter in now.firewall.counters {
                told[counter.name] = (time - Self.securityPause, counter.packets)
            }
            toldRefusals = (time - Self.securityPause, now.egress.refused)
            toldForeign = (time - Self.securityPause, now.firewall.foreignChanges ?? 0)
            for asker in now.egress.askers ?? [] {
                toldAskers[asker.words] = (time - Self.securityPause, asker.refused)
            }
            return uplinks(StatusDocument(), now) + keySwitch(now)
        }
        return security(last, now, time) + rooms(last, now) + keySwitch(now)
            + uplinks(last, now) + remote(last, now, time - before) + remoteTrouble(now, time)
            + data(last, now) + lan(last.lan, now.lan)
    }

    // MARK: - Rooms

    private func rooms(_ last: StatusDocument, _ now: StatusDocument) -> [Event] {
        let (old, new) = (last.failures ?? [], now.failures ?? [])
        let failed = new.filter { failure in !old.contains { $0.room == failure.room } }
        let works = old.filter { failure in !new.contains { $0.room == failure.room } }
        return failed.map { Event(.stop, "\($0.room) has failed: \($0.reason)") }
            + works.map { Event(.start, "\($0.room) works again") }
    }

    // MARK: - Uplinks

    private func uplinks(_ last: StatusDocument, _ now: StatusDocument) -> [Event] {
        var events: [Event] = []
        for uplink in now.uplinks {
            guard let before = last.uplinks.first(where: { $0.name == uplink.name }) else {
                continue
            }
            if before.isUp, !uplink.isUp {
                events.append(Event(.uplink, "\(uplink.name) is down: \(uplink.reason)"))
            } else if !before.isUp, uplink.isUp {
                events.append(Event(.uplink, "\(uplink.name) is up"))
            }
            if before.login == nil, let login = uplink.login {
                events.append(Event(.uplink, "\(uplink.name) \(login)"))
            } else if before.login != nil, uplink.login == nil, uplink.isUp {
                events.append(Event(.uplink, "\(uplink.name) wants no login any more"))
            }
        }
        let old = last.uplinks.first { $0.isCarrying }?.name
        let new = now.uplinks.first { $0.isCarrying }?.name
        if let new, new != old {
            let from = old.map { ", instead of \($0)" } ?? ""
            events.append(Event(.uplink, "\(new) carries the traffic\(from)"))
        } else if new == nil, old != nil {
            events.append(Event(.uplink, "no uplink carries traffic"))
        } else if now.uplinkSwitches > last.uplinkSwitches {
            let times = now.uplinkSwitches - last.uplinkSwitches
            events.append(Event(.uplink, "another uplink carried for a moment (\(times) changes)"))
        }
        return events
    }

    // MARK: - Remote access

    private mutating func keySwitch(_ now: StatusDocument) -> [Event] {
        guard let key = now.keySwitch, key.isSettling == nil else { return [] }
        defer { restingKey = key }
        let words =
            switch key.position {
            case .on where key.isTimeUp: "on, but \(key.reason)"
            case .on:
                (key.areUplinksOpen == nil
                    ? "on: remote access is allowed" : "on: the uplinks are open")
                    + (key.end(at: LocalTime(now)).map { ", remote access \($0)" } ?? "")
            case .online: "to online: the uplinks are open, remote access is closed"
            case .off where key.areUplinksOpen != nil: "off: all uplinks are cut"
            case .off: "off: remote access is closed"
            case .unknown where key.areUplinksOpen != nil:
                "unreadable, so all uplinks are cut: \(key.reason)"
            case .unknown: "unreadable, so remote access is closed: \(key.reason)"
            }
        guard let before = restingKey else {
            return [Event(.switch, who: "key switch", "found \(words)")]
        }
        if before.position != key.position {
            return [Event(.switch, who: "key switch", "turned \(words)")]
        }
        if key.isTimeUp, !before.isTimeUp {
            return [Event(.switch, who: "key switch", "its time is up: \(key.reason)")]
        }
        guard key.changes > before.changes else { return [] }
        return [
            Event(
                .switch, who: "key switch",
                "turned \(key.changes - before.changes) times in quick succession, now \(words)")
        ]
    }

    /// `elapsed`: between the two looks.
    private func remote(
        _ last: StatusDocument, _ now: StatusDocument, _ elapsed: Duration
    ) -> [Event] {
        guard let before = last.tunnel, let tunnel = now.tunnel else { return [] }
        if !before.isConnected, tunnel.isConnected {
            let address = tunnel.address.map { " as \($0)" } ?? ""
            let server = tunnel.server.map { "server \($0)" } ?? "VPN server"
            let certificate = tunnel.certificate.map { " with certificate \($0)" } ?? ""
            return [Event(.vpn, who: server, "session begun\(address)\(certificate)")]
        }
        guard before.isConnected, !tunnel.isConnected else { return [] }
        let server = before.server.map { "server \($0)" } ?? "VPN server"
        let carried = StatusText.carried(before).map { ", \($0)" } ?? ""
        let seconds = max(
            before.sinceSeconds,
            before.sinceSeconds + Int(elapsed.inSeconds.rounded()) - tunnel.sinceSeconds)
        return [
            Event(
                .vpn, who: server,
                "session ended after \(Figure.age(seconds: seconds))\(carried): "
                    + tunnel.reason)
        ]
    }

    /// The key is on, and still there is no session: why, when it is another reason than before.
    private mutating func remoteTrouble(_ now: StatusDocument, _ time: Instant) -> [Event] {
        guard let tunnel = now.tunnel, !tunnel.isConnected, tunnel.state != "forbidden" else {
            toldTrouble = nil
            return []
        }
        guard tunnel.state == "backing-off" else { return [] }
        if let told = toldTrouble, told.reason == tunnel.reason,
            time - told.at < Self.securityPause
        {
            return []
        }
        toldTrouble = (time, tunnel.reason)
        return [Event(.vpn, who: "VPN", "no session: \(tunnel.reason)")]
    }

    // MARK: - Security

    private mutating func security(
        _ last: StatusDocument, _ now: StatusDocument, _ time: Instant
    ) -> [Event] {
        noteFallenCounters(now)
        var events: [Event] = []
        if last.firewall.isInForce, !now.firewall.isInForce {
            events.append(
                Event(.security, who: "unknown", "firewall not in force: \(now.firewall.state)"))
        } else if !last.firewall.isInForce, now.firewall.isInForce {
            events.append(Event(.security, "firewall in force again"))
        }
        let foreign = now.firewall.foreignChanges ?? 0
        if foreign > toldForeign.count, time - toldForeign.at >= Self.securityPause {
            let times = foreign - toldForeign.count
            toldForeign = (time, foreign)
            events.append(
                Event(
                    .security, who: now.firewall.foreignChangeBy ?? "unknown",
                    "firewall changed by somebody else, and put back"
                        + (times > 1 ? ", \(times) times" : "")))
        }
        for counter in now.firewall.counters {
            let before = told[counter.name] ?? (time - Self.securityPause, 0)
            guard counter.packets > before.packets, time - before.at >= Self.securityPause else {
                continue
            }
            told[counter.name] = (time, counter.packets)
            let count = counter.packets - before.packets
            events.append(
                Event(
                    .security, who: StatusText.sender(counter.name),
                    "\(Figure.count(count)) packet\(count == 1 ? "" : "s") dropped: "
                        + StatusText.words(counter.name)
                        + Self.sample(now.firewall, of: [counter.name])))
        }
        events += signs(last.firewall, now.firewall)
        return events + refusals(now.egress, time)
    }

    /// A counter that has fallen was begun anew, by rules that were flushed and put back, or by a room that was built
    /// anew: all that it counts from now on is news.
    private mutating func noteFallenCounters(_ now: StatusDocument) {
        for counter in now.firewall.counters
        where counter.packets < told[counter.name]?.packets ?? 0 {
            told[counter.name]?.packets = 0
        }
        if now.egress.refused < toldRefusals?.count ?? 0 { toldRefusals?.count = 0 }
        let asked = Dictionary(
            (now.egress.askers ?? []).map { ($0.words, $0.refused) }, uniquingKeysWith: max)
        // No asker is ever dropped from the list: one that is missing was in an older one.
        for (words, before) in toldAskers where asked[words] ?? 0 < before.count {
            toldAskers[words]?.count = 0
        }
    }

    // MARK: - Data

    private func data(_ last: StatusDocument, _ now: StatusDocument) -> [Event] {
        var events: [Event] = []
        if last.cloud.isConnected != now.cloud.isConnected {
            let words = now.cloud.isConnected ? now.cloud.reason : "gone: \(now.cloud.reason)"
            events.append(Event(.cloud, words))
        }
        if last.recorder.state != now.recorder.state {
            events.append(Event(.recorder, now.recorder.state))
        }
        if now.recorder.lostRecords > last.recorder.lostRecords {
            let count = now.recorder.lostRecords - last.recorder.lostRecords
            events.append(
                Event(.recorder, "\(Figure.count(count)) records overwritten before they were sent")
            )
        }
        for machine in now.machines {
            guard let before = last.machines.first(where: { $0.name == machine.name }),
                before.isConnected != machine.isConnected
            else { continue }
            let words = machine.isConnected ? "answers" : "gone: \(machine.reason)"
            events.append(Event(.machine, who: machine.name, words))
        }
        return events
    }
}
