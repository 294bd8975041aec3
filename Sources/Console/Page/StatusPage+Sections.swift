import Base

/// What stands below the uplinks.
extension StatusPage {
    private static func section(
        _ name: StaticString, _ title: String, _ page: inout HTML, _ body: (inout HTML) -> Void
    ) {
        page.raw("<section class=\"card\"")
        page.attribute("aria-labelledby", "h-\(name)")
        page.raw("><h2")
        page.attribute("id", "h-\(name)")
        page.raw(">")
        page.text(title)
        page.raw("</h2>")
        body(&page)
        page.raw("</section>")
    }

    private static func facts(_ facts: [(String, String)], _ page: inout HTML) {
        page.raw("<dl>")
        for (name, value) in facts {
            page.element("dt", name)
            page.element("dd", value)
        }
        page.raw("</dl>")
    }

    static func remoteAccess(_ document: StatusDocument, _ page: inout HTML) {
        section("remote", "Remote access", &page) { page in
            guard let key = document.keySwitch else {
                return page.element("p", "None is configured.")
            }
            let time = LocalTime(document)
            let position =
                switch key.position {
                case .on: "on"
                case .online: "online"
                case .off: "off"
                case .unknown: "cannot be read: \(key.reason)"
                }
            var rows = [
                ("Key", position),
                ("Way to the machine", key.isGateOpen ? "open" : "closed"),
            ]
            if let end = key.end(at: time) {
                rows.append(("Remote access", end))
            } else if key.isTimeUp {
                rows.append(("Remote access", "its time is up: turn the key off, and on again"))
            }
            if let areUplinksOpen = key.areUplinksOpen {
                rows.append(("Uplinks", areUplinksOpen ? "open" : "all cut by the key"))
            }
            if key.changes > 0 {
                rows.insert(
                    ("Last turned", "at \(time.text(secondsAgo: key.sinceSeconds))"), at: 1)
            }
            if let tunnel = document.tunnel { rows += session(tunnel) }
            if key.position != .unknown, !key.isBrokenWireOff {
                rows.append(("A cut wire", "reads as on: see the wiring"))
            }
            facts(rows, &page)
        }
    }

    private static func session(_ tunnel: StatusDocument.Tunnel) -> [(String, String)] {
        var rows = [
            ("VPN", tunnel.isConnected ? "connected" : "\(tunnel.state): \(tunnel.reason)")
        ]
        if let address = tunnel.address { rows.append(("Our address", address)) }
        if let server = tunnel.server { rows.append(("Server", server)) }
        if tunnel.isConnected {
            rows.append(("Session", "for \(Figure.age(seconds: tunnel.sinceSeconds))"))
        }
        return rows
    }

    static func recorder(_ document: StatusDocument, _ page: inout HTML) {
        section("recorder", "Recorder", &page) { page in
            let recorder = document.recorder
            let used = ByteSize(bytes: recorder.bytes)
            let quota = ByteSize(bytes: recorder.quotaBytes)
            page.raw("<meter min=\"0\" aria-label=\"How full the ring is\"")
            page.attribute("max", "\(max(1, recorder.quotaBytes))")
            page.attribute("value", "\(recorder.bytes)")
            page.raw("></meter>")
            var rows = [("State", recorder.state), ("Used", "\(used) of \(quota)")]
            if let room = RecorderForecast.words(recorder) { rows.append(("Room", room)) }
            if let oldest = recorder.oldestMilliseconds {
                let time = LocalTime(document).text(WallTime(milliseconds: oldest))
                rows.append(("Oldest record", time))
            }
            rows.append(("Not yet in the cloud", Figure.count(recorder.unsentRecords)))
            rows.append(
                ("Lost", recorder.lostRecords == 0 ? "none" : Figure.count(recorder.lostRecords)))
            if recorder.damagedFrames > 0 {
                rows.append(("Damaged places", Figure.count(recorder.damagedFrames)))
            }
            facts(rows, &page)
        }
    }

    static func cloud(_ document: StatusDocument, _ page: inout HTML) {
        section("cloud", "Cloud", &page) { page in
            let cloud = document.cloud
            var rows = [
                ("Session", cloud.isConnected ? "connected" : "not connected"),
                (cloud.isConnected ? "To" : "Why", cloud.reason),
                ("For", Figure.age(seconds: cloud.sinceSeconds)),
                ("Delivered", Figure.count(cloud.deliveredRecords)),
                ("Waiting", Figure.count(cloud.backlogRecords)),
            ]
            if cloud.isConnected { rows[1].1 = cloud.reason.replacing("connected to ", with: "") }
            let names = document.egress.names.joined(separator: ", ")
            rows.append(("Names open", names.isEmpty ? "none" : names))
            if document.egress.refused > 0 {
                rows.append(("Names refused", Figure.count(document.egress.refused)))
            }
            facts(rows, &page)
        }
    }

    static func machines(_ document: StatusDocument, _ page: inout HTML) {
        section("machines", "Machines", &page) { page in
            guard !document.machines.isEmpty else {
                return page.element("p", "None is configured.")
            }
            let time = LocalTime(document)
            page.raw("<table><thead><tr><th scope=\"col\">Name</th><th scope=\"col\">State</th>")
            page.raw(
                "<th scope=\"col\">Polls</th><th scope=\"col\">Missed</th></tr></thead><tbody>")
            for machine in document.machines.prefix(64) {
                page.raw("<tr><th scope=\"row\">")
                page.text(machine.name)
                page.raw("</th>")
                if machine.isConnected {
                    let rate = machine.valuesPerMinute.map {
                        "\(Figure.count($0)) values a minute"
                    }
                    page.element("td", class: "good", rate ?? "answers")
                } else {
                    let last = machine.lastAnswerMilliseconds.map {
                        "gone since \(time.text(WallTime(milliseconds: $0)))"
                    }
                    page.element(
                        "td", class: "bad", "\(last ?? "never answered"): \(machine.reason)")
                }
                page.element("td", class: "n", Figure.count(machine.polls))
                page.element("td", class: "n", Figure.count(machine.missedReadings))
                page.raw("</tr>")
            }
            page.raw("</tbody></table>")
        }
    }

    static func firewall(_ document: StatusDocument, _ page: inout HTML) {
        section("firewall", "Firewall", &page) { page in
            page.element(
                "p", class: document.firewall.isInForce ? "good" : "bad", document.firewall.state)
            let counters = document.firewall.counters.filter { $0.packets > 0 }
            guard !counters.isEmpty else { return page.element("p", "Nothing was dropped.") }
            page.raw(
                "<table><thead><tr><th scope=\"col\">Dropped</th><th scope=\"col\">Packets</th>")
            page.raw("</tr></thead><tbody>")
            for counter in counters {
                page.raw("<tr><th scope=\"row\">")
                page.text(StatusText.words(counter.name))
                page.raw("</th>")
                page.element("td", class: "n", Figure.count(counter.packets))
                page.raw("</tr>")
            }
            page.raw("</tbody></table>")
        }
    }

    static func events(_ events: [EventEntry], _ document: StatusDocument, _ page: inout HTML) {
        section("events", "Last events", &page) { page in
            guard !events.isEmpty else { return page.element("p", "None yet.") }
            let time = LocalTime(document)
            page.raw(
                "<table><thead><tr><th scope=\"col\">When</th><th scope=\"col\">What</th></tr></thead><tbody>"
            )
            for event in events.suffix(12).reversed() {
                page.raw("<tr><td>")
                page.element("time", time.text(WallTime(milliseconds: event.timeMilliseconds)))
                page.raw("</td>")
                page.element("td", "\(event.who): \(event.what)")
                page.raw("</tr>")
            }
            page.raw("</tbody></table>")
        }
    }
}
