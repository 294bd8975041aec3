import Base

extension Settings {
    /// The settings in a few lines for people, as `drawbridge check` shows them.
    package var summary: [String] {
        var lines = [("device", device.name)]
        lines += uplinks.enumerated().map { index, uplink in
            let probe = uplink.keepAlive
            let silence = probe.burst ? "a silent burst of probes, or " : ""
            return (
                index == 0 ? "uplinks" : "",
                "\(index + 1). \(uplink.name) (\(uplink.interface)): down after \(silence)"
                    + "\(probe.failures) lost probes \(DurationText.format(probe.interval)) apart, "
                    + "up after \(probe.successes) answers"
            )
        }
        lines.append(("lan", "\(lan.network) on \(lan.interface)"))
        let names = cloud.domains.map(\.description).joined(separator: ", ")
        let ports = cloud.ports.map(\.description).joined(separator: ", ")
        lines.append(("cloud", "broker \(cloud.broker.host):\(cloud.broker.port.port)"))
        lines.append(("", "only \(names) on \(ports)"))
        lines.append(
            (
                "recorder",
                "\(recorder.size.exactText) in \(recorder.directory), "
                    + "on flash within \(DurationText.format(recorder.sync))"
            ))
        if let bulk { lines.append(("", "its blocks to \(bulk.folder.url)")) }
        lines += machines.enumerated().map { index, machine in
            (
                index == 0 ? "machines" : "",
                "\(machine.name) at \(machine.place), \(machine.tags.count) tags"
            )
        }
        lines += otherSources
        lines.append(
            ("vpn", vpn.map { "\($0.remote.host) \($0.remote.port) on \($0.interface)" } ?? "none"))
        if let server = vpn?.enrolment?.endpoint {
            lines.append(
                ("", "a certificate for each session from \(server.host):\(server.port.port)"))
        }
        if let keySwitch { lines.append(("switch", keySwitch.summary)) }
        lines += firewallLines.enumerated().map { ($0 == 0 ? "firewall" : "", $1) }
        return lines.map { title, text in
            title + String(repeating: " ", count: 10 - title.count) + text
        }
    }
}

extension Settings {
    /// Where readings come from besides the machines, and events go; empty if neither is configured.
    private var otherSources: [(String, String)] {
        var lines = subscriptions.enumerated().map { index, broker in
            (
                index == 0 ? "brokers" : "",
                "\(broker.name) at \(broker.address):\(broker.port), \(broker.tags.count) tags"
            )
        }
        if let listen = push.listen {
            let names = push.clients.map(\.name).joined(separator: ", ")
            lines.append(("push", "\(names) to \(listen.address):\(listen.port)"))
        }
        if let server = syslog?.server {
            lines.append(("syslog", "events to \(server.host):\(server.port.port) over TLS"))
        }
        return lines
    }

    /// What is open besides what is built in; empty if nothing is.
    private var firewallLines: [String] {
        var lines: [String] = []
        if firewall.lanToWAN != .neither {
            lines.append("machines may reach \(firewall.lanToWAN.words) over the uplinks")
        }
        if firewall.hidesVPN { lines.append("machines see remote users as the router") }
        let open =
            firewall.allowed.map { "\($0): \($0.comment)" }
            + firewall.forwards.map { "\($0): \($0.comment)" }
        lines += open.prefix(20).map { "open: \($0)" }
        lines += firewall.translations.prefix(20).map { "stands for: \($0): \($0.comment)" }
        if open.count > 20 { lines.append("and \(open.count - 20) more exceptions") }
        return lines
    }
}

extension Settings.KeySwitch {
    fileprivate var summary: String {
        let name = Kind.line.text(line)
        return "\(chip) line \(name): \(offLevel.rawValue) closes the VPN; a cut wire \(cutWire)"
    }

    /// What a wire that is cut does, which depends on where the bias pulls the line.
    private var cutWire: String {
        let reads: Level
        switch bias {
        case .pullUp: reads = .high
        case .pullDown: reads = .low
        case .asIs, .disabled: return "is not seen for sure: nothing pulls the line"
        }
        return reads == offLevel
            ? "closes it too" : "ALLOWS it: prefer to close on \(reads.rawValue)"
    }
}
