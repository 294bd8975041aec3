import Base

/// What stands in each section.
extension StatusText {
    static func header(_ document: StatusDocument, _ screen: inout Screen) {
        let left =
            "\(document.device)   drawbridge \(document.softwareVersion)   "
            + "up \(Figure.age(seconds: document.uptimeSeconds))"
            + (document.isReady ? "" : ", starting")
        let (word, style): (String, Screen.Style) =
            switch document.state {
            case .ok: ("OK", .good)
            case .degraded: ("DEGRADED", .warning)
            case .closed: ("CLOSED", .bad)
            }
        let room = columns - word.count - 1
        screen.line([
            Piece(String(left.prefix(room)).padded(room + 1), .bold), Piece(word, style),
        ])
    }

    /// At most five lines; each problem may take two.
    static func problems(_ document: StatusDocument) -> [[Piece]] {
        let style: Screen.Style = document.state == .closed ? .bad : .warning
        var lines: [[Piece]] = []
        for (index, problem) in document.problems.enumerated() {
            let wrapped = wrapped(problem)
            guard lines.count + wrapped.count <= 4 else {
                return lines + [[Piece("and \(document.problems.count - index) more", .dim)]]
            }
            lines += wrapped.map { [Piece($0, style)] }
        }
        return lines
    }

    static func uplinks(_ uplinks: [StatusDocument.Uplink]) -> [[Piece]] {
        let names = width(uplinks.map(\.name), max: 10)
        let interfaces = width(uplinks.map(\.interface), max: 8)
        let addresses = width(uplinks.map { $0.address ?? "no address" }, max: 15)
        return uplinks.map { uplink in
            let identity = Piece(
                cell(uplink.name, names) + cell(uplink.interface, interfaces)
                    + cell(uplink.address ?? "no address", addresses))
            let state: Piece =
                // The last route may stay with an uplink that is down; it carries nothing.
                !uplink.isUp
                ? Piece("down      ", .bad)
                : uplink.login != nil
                    ? Piece(uplink.isCarrying ? "carrying  " : "login     ", .bad)
                    : uplink.isCarrying ? Piece("carrying  ", .good) : Piece("ready     ")
            var figures = ["for \(Figure.age(seconds: uplink.sinceSeconds))"]
            if uplink.isUp {
                if let rtt = uplink.rttMilliseconds { figures.append("\(Figure.decimal(rtt)) ms") }
                if let loss = uplink.lossPercent {
                    figures.append("\(Figure.decimal(loss)) % lost")
                }
            }
            if !uplink.isUp, !uplink.reason.isEmpty { figures.append(uplink.reason) }
            if let login = uplink.login { figures.append(login) }
            return [identity, state, Piece(figures.joined(separator: ", "))]
        }
    }

    /// `last drill 03:00: wifi ok, lte failed at dns`
    static func drill(_ drill: StatusDocument.Drill, _ document: StatusDocument) -> Piece {
        let time = LocalTime(document).text(secondsAgo: drill.secondsAgo)
        return Piece("last drill \(time): \(drill.words)", drill.isGood ? .dim : .bad)
    }

    static func cloud(_ cloud: StatusDocument.Cloud) -> [[Piece]] {
        let age = "for \(Figure.age(seconds: cloud.sinceSeconds))"
        let waiting = "\(Figure.count(cloud.backlogRecords)) waiting"
        guard cloud.isConnected else {
            return [[Piece("not connected \(age)", .bad), Piece(", \(waiting)")]]
                + wrapped(cloud.reason).map { [Piece($0)] }
        }
        let figures =
            "\(Figure.count(cloud.deliveredRecords)) delivered, "
            + "\(Figure.count(cloud.inFlightRecords)) in flight, \(waiting)"
        return [[Piece(cloud.reason, .good), Piece(", \(age)")], [Piece(figures)]]
    }

    /// A silence that was looked into at once (`docs/behaviour.md` §4.2).
    static func suspicions(_ bursts: Int) -> String {
        bursts == 1 ? "once suspected" : "\(Figure.count(bursts)) times suspected"
    }

    /// The round trips and losses of the last minutes.
    static func history(
        _ document: StatusDocument, _ style: Sparklines
    ) -> [[Piece]] {
        document.uplinks.compactMap { uplink in
            guard let history = uplink.history, history.lossPercent.count > 1 else { return nil }
            let width = 24
            let line = { (samples: [Double?], least: Double) in
                Sparkline.text(
                    samples, width: width, least: least, isUnicode: style == .unicode
                ).padded(min(width, samples.count))
            }
            let age = Figure.age(
                seconds: min(width, history.lossPercent.count) * history.intervalSeconds)
            return [
                Piece("  ms ", .dim), Piece(line(history.rttMilliseconds, 10), .good),
                Piece("  loss ", .dim), Piece(line(history.lossPercent, 100), .warning),
                Piece("  \(age)", .dim),
                Piece(uplink.bursts > 0 ? ", \(suspicions(uplink.bursts))" : ""),
            ]
        }
    }

    static func machines(
        _ machines: [StatusDocument.Machine], at time: LocalTime
    ) -> [[Piece]] {
        let names = width(machines.map(\.name), max: 20)
        return machines.flatMap { machine in
            guard machine.isConnected else {
                return [
                    [
                        Piece(cell(machine.name, names)),
                        Piece("\(absence(machine, at: time)): \(machine.reason)", .bad),
                    ]
                ]
            }
            var refusal: [[Piece]] = []
            var figures =
                ", \(Figure.count(machine.polls)) polls, \(Figure.count(machine.errors)) errors"
            if let rate = machine.valuesPerMinute {
                figures =
                    ", \(Figure.count(rate)) values a minute, "
                    + "\(Figure.count(machine.errors)) errors"
                if machine.errors > 0, machine.reason != "answers" {
                    refusal = [
                        [Piece(cell("", names)), Piece("last: \(machine.reason)", .warning)]
                    ]
                }
            }
            // Both are holes in the record, so they are told apart from errors that were made good.
            if machine.missedReadings > 0 {
                figures += ", \(Figure.count(machine.missedReadings)) readings missed"
            }
            if machine.unrecordedReadings > 0 {
                figures += ", \(Figure.count(machine.unrecordedReadings)) not recorded"
            }
            return [
                [Piece(cell(machine.name, names)), Piece("connected", .good), Piece(figures)]
            ] + refusal
        }
    }

    static func absence(_ machine: StatusDocument.Machine, at time: LocalTime) -> String {
        guard let last = machine.lastAnswerMilliseconds else { return "never answered" }
        return "gone since \(time.text(WallTime(milliseconds: last)))"
    }

    static func recorder(
        _ recorder: StatusDocument.Recorder, at time: LocalTime
    ) -> [[Piece]] {
        var first =
            ", \(ByteSize(bytes: recorder.bytes)) of \(ByteSize(bytes: recorder.quotaBytes))"
        if let room = RecorderForecast.words(recorder) { first += ", \(room)" }
        let pending =
            recorder.acceptedRecords - min(recorder.durableRecords, recorder.acceptedRecords)
        if pending > 0 { first += ", \(Figure.count(pending)) in memory" }
        var second =
            recorder.lastSequence == 0
            ? "empty"
            : "\(Figure.count(recorder.heldRecords)) records"
        if let oldest = recorder.oldestMilliseconds {
            second += " since \(time.text(WallTime(milliseconds: oldest)))"
        }
        second += ", \(Figure.count(recorder.unsentRecords)) unsent, "
        var last = [
            Piece(second),
            recorder.lostRecords == 0
                ? Piece("none lost") : Piece("\(Figure.count(recorder.lostRecords)) lost", .bad),
        ]
        if recorder.damagedFrames > 0 {
            last.append(Piece(", \(Figure.count(recorder.damagedFrames)) damaged", .bad))
        }
        let readers = (recorder.cursors ?? []).map { cursor in
            "\(cursor.name) \(Figure.count(cursor.unreadRecords)) behind"
                + (cursor.lostRecords > 0 ? ", \(Figure.count(cursor.lostRecords)) lost" : "")
        }
        return [[Piece(recorder.state, recorder.isRecording ? .good : .bad), Piece(first)], last]
            + (readers.isEmpty ? [] : [[Piece("cursors: " + readers.joined(separator: "; "))]])
    }

    static func switchLines(
        _ keySwitch: StatusDocument.KeySwitch?, at time: LocalTime
    ) -> [(String, [Piece])] {
        guard let keySwitch else { return [] }
        var detail = keySwitch.reason.isEmpty ? "" : ": \(keySwitch.reason)"
        if let end = keySwitch.end(at: time) { detail += ", \(end)" }
        switch keySwitch.changes {
        case 0: detail += ", no change yet"
        case let count:
            detail += ", \(Figure.count(count)) change\(count == 1 ? "" : "s")"
            detail += ", last at \(time.text(secondsAgo: keySwitch.sinceSeconds))"
        }
        if keySwitch.reason.isEmpty, !keySwitch.isBrokenWireOff {
            detail += "; a cut wire reads as on"
        } else if keySwitch.reason.isEmpty, keySwitch.schedule == "ordinary" {
            detail += "; without priority"
        }
        return [("Switch", [Piece(keySwitch.words, keySwitch.style), Piece(detail)])]
    }

    /// What a session has carried, in words.
    static func carried(_ tunnel: StatusDocument.Tunnel) -> String? {
        guard let inward = tunnel.inwardBytes, let outward = tunnel.outwardBytes else { return nil }
        func size(_ bytes: UInt64) -> ByteSize { ByteSize(bytes: Int64(clamping: bytes)) }
        return "\(size(inward)) in, \(size(outward)) out"
    }

    static func tunnel(_ tunnel: StatusDocument.Tunnel?) -> [(String, [Piece])] {
        guard let tunnel else { return [("VPN", [Piece("not configured", .dim)])] }
        var text = tunnel.address.map { ", \($0)" } ?? ""
        if let server = tunnel.server { text += ", server \(server)" }
        if !tunnel.reason.isEmpty, tunnel.reason != tunnel.state { text += ", \(tunnel.reason)" }
        text += ", for \(Figure.age(seconds: tunnel.sinceSeconds))"
        if tunnel.restarts > 0 {
            text += ", \(Figure.count(tunnel.restarts)) restart\(tunnel.restarts == 1 ? "" : "s")"
        }
        if let carried = carried(tunnel) { text += ", \(carried)" }
        let state = Piece(tunnel.state, tunnel.isConnected ? .good : .plain)
        guard let serial = tunnel.certificate else { return [("VPN", [state, Piece(text)])] }
        let rest = tunnel.certificateSeconds.map { ", for \(Figure.age(seconds: $0)) more" } ?? ""
        return [
            ("VPN", [state, Piece(text)]),
            ("", [Piece("certificate of this session \(serial.prefix(16))\(rest)")]),
        ]
    }

    static func firewall(_ firewall: StatusDocument.Firewall) -> [(String, [Piece])] {
        let state = Piece(firewall.state, firewall.isInForce ? .good : .bad)
        let gate = firewall.isGateOpen ? ", VPN gate open" : ", VPN gate closed"
        let counters = firewall.counters.filter { $0.packets > 0 }.map {
            "\(words($0.name)) \(Figure.count($0.packets))"
        }
        let packets =
            counters.isEmpty
            ? "nothing dropped" : "dropped: " + counters.joined(separator: ", ")
        return [("Firewall", [state, Piece(gate)] + foreign(firewall)), ("", [Piece(packets)])]
    }

    /// Who sent what a counter counts.
    static func sender(_ counter: String) -> String {
        switch counter.split(separator: "_").first {
        case "wan": "company network or internet"
        case "lan": "machine network"
        case "vpn": "VPN"
        case "egress", "router": "a program on the router"
        default: "unknown"
        }
    }

    /// `wan_to_router` as people say it.
    static func words(_ counter: String) -> String {
        if counter == "egress" { return "router to elsewhere" }
        if counter == "uplinks_cut" { return "over uplinks cut by the key" }
        let spelled = ["wan": "WAN", "lan": "LAN", "vpn": "VPN", "ipv6": "IPv6"]
        return counter.split(separator: "_").map { spelled[String($0)] ?? String($0) }
            .joined(separator: " ")
    }

    static func egress(_ egress: StatusDocument.Egress) -> [(String, [Piece])] {
        var refused = egress.refused == 0 ? "" : "\(Figure.count(egress.refused)) refused; "
        if egress.overloaded > 0 { refused += "\(Figure.count(egress.overloaded)) dropped; " }
        if !egress.serversAnswer { refused = "no DNS server answers; " }
        let names =
            egress.names.isEmpty ? "none open" : "open: " + egress.names.joined(separator: ", ")
        return [("Names", [Piece(refused, .warning), Piece(names)])]
    }
}
