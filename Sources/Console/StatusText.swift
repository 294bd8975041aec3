import Base

/// The status in words, for one screen of 80 columns and 24 lines.
package enum StatusText {
    package static let columns = 80
    package static let rows = 24

    private typealias Piece = Screen.Piece

    /// Pure. Whether to use colour is the caller's decision (a terminal, and no `NO_COLOR`).
    package static func render(_ document: StatusDocument, isColoured: Bool = false) -> String {
        var screen = Screen(width: columns, isColoured: isColoured)
        header(document, &screen)
        screen.line([])
        section("Problems", problems(document), &screen)
        section("Uplinks", clipped(uplinks(document.uplinks), to: 5), &screen)
        section("Cloud", cloud(document.cloud), &screen)
        let rest =
            switchLines(document.keySwitch) + tunnel(document.tunnel)
            + firewall(document.firewall) + egress(document.egress)
        let recorder = recorder(document.recorder)
        let room = rows - screen.lines.count - recorder.count - rest.count
        section("Machines", clipped(machines(document.machines), to: max(1, room)), &screen)
        section("Recorder", recorder, &screen)
        for (label, line) in rest { section(label, [line], &screen) }
        return screen.lines.joined(separator: "\n") + "\n"
    }

    // MARK: layout

    private static let labelWidth = 10

    private static func section(_ label: String, _ lines: [[Piece]], _ screen: inout Screen) {
        for (index, line) in lines.enumerated() {
            let head = Piece((index == 0 ? label : "").padded(labelWidth), .bold)
            screen.line([head] + line)
        }
    }

    /// At most `count` lines; the last one says how many are missing.
    private static func clipped(_ lines: [[Piece]], to count: Int) -> [[Piece]] {
        guard lines.count > count else { return lines }
        return lines.prefix(count - 1)
            + [[Piece("and \(lines.count - count + 1) more", .dim)]]
    }

    /// One or two lines, broken between words; what is longer is cut by the screen.
    private static func wrapped(_ text: String) -> [String] {
        let width = columns - labelWidth
        guard text.count > width else { return text.isEmpty ? [] : [text] }
        let head = text.prefix(width + 1)
        let end = head.lastIndex(of: " ") ?? text.index(text.startIndex, offsetBy: width)
        return [String(text[..<end]), String(text[end...].drop { $0 == " " })]
    }

    /// Widths of a column that fit all its texts, up to a limit.
    private static func width(_ texts: [String], max limit: Int) -> Int {
        min(limit, texts.map(\.count).max() ?? 0)
    }

    private static func cell(_ text: String, _ width: Int) -> String {
        String(text.prefix(width)).padded(width) + "  "
    }

    // MARK: sections

    private static func header(_ document: StatusDocument, _ screen: inout Screen) {
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
    private static func problems(_ document: StatusDocument) -> [[Piece]] {
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

    private static func uplinks(_ uplinks: [StatusDocument.Uplink]) -> [[Piece]] {
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
                : uplink.isCarrying ? Piece("carrying  ", .good) : Piece("ready     ")
            var figures = ["for \(Figure.age(seconds: uplink.sinceSeconds))"]
            if uplink.isUp {
                if let rtt = uplink.rttMilliseconds { figures.append("\(Figure.decimal(rtt)) ms") }
                if let loss = uplink.lossPercent {
                    figures.append("\(Figure.decimal(loss)) % lost")
                }
            }
            if !uplink.isUp, !uplink.reason.isEmpty { figures.append(uplink.reason) }
            return [identity, state, Piece(figures.joined(separator: ", "))]
        }
    }

    private static func cloud(_ cloud: StatusDocument.Cloud) -> [[Piece]] {
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

    private static func machines(_ machines: [StatusDocument.Machine]) -> [[Piece]] {
        let names = width(machines.map(\.name), max: 20)
        return machines.map { machine in
            let state =
                machine.isConnected
                ? Piece("connected", .good)
                : Piece("not connected: \(machine.reason)", .bad)
            // The reason needs the room.
            let figures =
                machine.isConnected
                ? ", \(Figure.count(machine.polls)) polls, \(Figure.count(machine.errors)) errors"
                : ""
            return [Piece(cell(machine.name, names)), state, Piece(figures)]
        }
    }

    private static func recorder(_ recorder: StatusDocument.Recorder) -> [[Piece]] {
        let sizes =
            "\(ByteSize(bytes: recorder.bytes)) of \(ByteSize(bytes: recorder.quotaBytes))"
        let range =
            recorder.lastSequence == 0
            ? "empty"
            : "records \(Figure.count(recorder.firstSequence)) to "
                + Figure.count(recorder.lastSequence)
        let pending =
            recorder.acceptedRecords - min(recorder.durableRecords, recorder.acceptedRecords)
        let lost: Piece =
            recorder.lostRecords == 0
            ? Piece("none lost") : Piece("\(Figure.count(recorder.lostRecords)) lost", .bad)
        return [
            [
                Piece(recorder.state, recorder.isRecording ? .good : .bad),
                Piece(", \(sizes), \(range)"),
            ],
            [
                Piece(
                    "\(Figure.count(recorder.unsentRecords)) unsent, "
                        + "\(Figure.count(pending)) not yet on flash, "), lost,
            ],
        ]
    }

    private static func switchLines(_ keySwitch: StatusDocument.KeySwitch?) -> [(
        String, [Piece]
    )] {
        guard let keySwitch else { return [] }
        let (words, style): (String, Screen.Style) =
            switch keySwitch.position {
            case .on where keySwitch.isGateOpen: ("on, remote access allowed", .good)
            case .on: ("on, but remote access is closed", .bad)
            case .off: ("off, remote access closed", .warning)
            case .unknown: ("unreadable, remote access closed", .bad)
            }
        let changes =
            switch keySwitch.changes {
            case 0: "no change yet"
            case 1: "1 change"
            case let changes: "\(Figure.count(changes)) changes"
            }
        let detail = keySwitch.reason.isEmpty ? "" : ": \(keySwitch.reason)"
        return [("Switch", [Piece(words, style), Piece("\(detail), \(changes)")])]
    }

    private static func tunnel(_ tunnel: StatusDocument.Tunnel?) -> [(String, [Piece])] {
        guard let tunnel else { return [("VPN", [Piece("not configured", .dim)])] }
        var text = tunnel.address.map { ", \($0)" } ?? ""
        if !tunnel.reason.isEmpty, tunnel.reason != tunnel.state { text += ", \(tunnel.reason)" }
        text += ", for \(Figure.age(seconds: tunnel.sinceSeconds))"
        return [("VPN", [Piece(tunnel.state, tunnel.isConnected ? .good : .plain), Piece(text)])]
    }

    private static func firewall(_ firewall: StatusDocument.Firewall) -> [(String, [Piece])] {
        let state = Piece(firewall.state, firewall.isInForce ? .good : .bad)
        let gate = firewall.isGateOpen ? ", VPN gate open" : ", VPN gate closed"
        let counters = firewall.counters.filter { $0.packets > 0 }.map {
            "\(words($0.name)) \(Figure.count($0.packets))"
        }
        let packets =
            counters.isEmpty
            ? "nothing dropped" : "dropped: " + counters.joined(separator: ", ")
        return [("Firewall", [state, Piece(gate)]), ("", [Piece(packets)])]
            + foreign(firewall) + exceptions(firewall.exceptions ?? [])
    }

    private static func foreign(_ firewall: StatusDocument.Firewall) -> [(String, [Piece])] {
        guard let count = firewall.foreignChanges, count > 0 else { return [] }
        let text = "changed by somebody else and put back: \(Figure.count(count)) times"
        return [("", [Piece(text, .bad)])]
    }

    /// Most exceptions that are shown one by one; `--json` has all.
    private static let exceptionsMax = 8

    private static func exceptions(
        _ exceptions: [StatusDocument.Firewall.Exception]
    ) -> [(String, [Piece])] {
        let shown = exceptions.prefix(exceptionsMax).map { exception in
            let last =
                exception.lastSecondsAgo.map { ", last \(Figure.age(seconds: $0)) ago" } ?? ""
            let use =
                exception.isOver
                ? "its time is over"
                : exception.packets == 0
                    ? "unused" : "\(Figure.count(exception.packets)) packets\(last)"
            return ("", [Piece("open: \(exception.words) (\(exception.comment)): \(use)")])
        }
        let rest = exceptions.count - shown.count
        return shown
            + (rest > 0 ? [("", [Piece("and \(Figure.count(rest)) more exceptions")])] : [])
    }

    /// `wan_to_router` as people say it.
    private static func words(_ counter: String) -> String {
        if counter == "egress" { return "router to elsewhere" }
        let spelled = ["wan": "WAN", "lan": "LAN", "vpn": "VPN", "ipv6": "IPv6"]
        return counter.split(separator: "_").map { spelled[String($0)] ?? String($0) }
            .joined(separator: " ")
    }

    private static func egress(_ egress: StatusDocument.Egress) -> [(String, [Piece])] {
        let refused = egress.refused == 0 ? "" : "\(Figure.count(egress.refused)) refused; "
        let names =
            egress.names.isEmpty ? "none open" : "open: " + egress.names.joined(separator: ", ")
        return [("Names", [Piece(refused, .warning), Piece(names)])]
    }
}
