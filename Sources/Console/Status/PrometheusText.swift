/// The status in Prometheus' text format 0.0.4.
package enum PrometheusText {
    /// Pure; families and their order are fixed.
    package static func render(_ document: StatusDocument) -> String {
        var text = Text()
        text.family("info", .gauge, "Device and software version.")
        text.sample(1, ["device": document.device, "version": document.softwareVersion])
        text.family("uptime_seconds", .gauge, "Time since the daemon started.")
        text.sample(document.uptimeSeconds)
        text.family("ready", .gauge, "Whether every service has come up once.")
        text.sample(document.isReady)
        text.family("problems", .gauge, "How many things are wrong.")
        text.sample(document.problems.count)
        uplinks(document, &text)
        firewall(document, &text)
        recorder(document.recorder, &text)
        machines(document.machines, &text)
        cloud(document.cloud, &text)
        remoteAccess(document, &text)
        return text.lines.joined(separator: "\n") + "\n"
    }

    private static func uplinks(_ document: StatusDocument, _ text: inout Text) {
        func each(_ value: (StatusDocument.Uplink) -> Double?, _ text: inout Text) {
            for uplink in document.uplinks {
                guard let value = value(uplink) else { continue }
                text.sample(value, ["uplink": uplink.name, "interface": uplink.interface])
            }
        }
        text.family("uplink_up", .gauge, "Whether the uplink carries traffic.")
        each({ $0.isUp ? 1 : 0 }, &text)
        text.family("uplink_carrying", .gauge, "Whether the cloud sessions live on this uplink.")
        each({ $0.isCarrying ? 1 : 0 }, &text)
        text.family("uplink_rtt_seconds", .gauge, "Round trip of the keep-alive probes.")
        each({ $0.rttMilliseconds.map { ($0 * 1_000).rounded() / 1_000_000 } }, &text)
        text.family("uplink_loss_ratio", .gauge, "Share of lost keep-alive probes.")
        each({ $0.lossPercent.map { ($0 * 100).rounded() / 10_000 } }, &text)
        text.family("uplink_switches_total", .counter, "Changes of the carrying uplink.")
        text.sample(document.uplinkSwitches)
    }

    private static func firewall(_ document: StatusDocument, _ text: inout Text) {
        text.family("firewall_in_force", .gauge, "Whether the ruleset is applied.")
        text.sample(document.firewall.isInForce)
        text.family("firewall_packets_total", .counter, "Packets by rule counter.")
        for counter in document.firewall.counters {
            text.sample(counter.packets, ["counter": counter.name])
        }
        text.family("firewall_bytes_total", .counter, "Bytes by rule counter.")
        for counter in document.firewall.counters {
            text.sample(counter.bytes, ["counter": counter.name])
        }
        text.family("egress_names", .gauge, "Allow-listed names that are open now.")
        text.sample(document.egress.names.count)
        text.family("egress_refused_total", .counter, "Questions for names not on the list.")
        text.sample(document.egress.refused)
    }

    private static func recorder(_ recorder: StatusDocument.Recorder, _ text: inout Text) {
        text.family("recorder_accepted_total", .counter, "Records taken.")
        text.sample(recorder.acceptedRecords)
        text.family("recorder_durable_total", .counter, "Records on flash.")
        text.sample(recorder.durableRecords)
        text.family("recorder_bytes", .gauge, "Size of the ring's files.")
        text.sample(recorder.bytes)
        text.family("recorder_quota_bytes", .gauge, "Largest size of the ring's files.")
        text.sample(recorder.quotaBytes)
        text.family("recorder_unsent", .gauge, "Records that the cloud does not have.")
        text.sample(recorder.unsentRecords)
        text.family("recorder_lost_total", .counter, "Records overwritten before they were sent.")
        text.sample(recorder.lostRecords)
    }

    private static func machines(_ machines: [StatusDocument.Machine], _ text: inout Text) {
        text.family("machine_connected", .gauge, "Whether the machine answers.")
        for machine in machines { text.sample(machine.isConnected, ["machine": machine.name]) }
        text.family("machine_polls_total", .counter, "Polls.")
        for machine in machines { text.sample(machine.polls, ["machine": machine.name]) }
        text.family("machine_errors_total", .counter, "Polls that failed.")
        for machine in machines { text.sample(machine.errors, ["machine": machine.name]) }
    }

    private static func cloud(_ cloud: StatusDocument.Cloud, _ text: inout Text) {
        text.family("cloud_connected", .gauge, "Whether the MQTT session stands.")
        text.sample(cloud.isConnected)
        text.family("cloud_delivered_total", .counter, "Records confirmed by the broker.")
        text.sample(cloud.deliveredRecords)
        text.family("cloud_backlog", .gauge, "Records that wait for delivery.")
        text.sample(cloud.backlogRecords)
        text.family("cloud_in_flight", .gauge, "Records sent and not yet confirmed.")
        text.sample(cloud.inFlightRecords)
    }

    private static func remoteAccess(_ document: StatusDocument, _ text: inout Text) {
        text.family("vpn_gate_open", .gauge, "Whether the VPN may reach the LAN.")
        text.sample(document.firewall.isGateOpen)
        if let tunnel = document.tunnel {
            text.family("vpn_connected", .gauge, "Whether the VPN stands.")
            text.sample(tunnel.isConnected)
        }
        if let keySwitch = document.keySwitch {
            text.family("switch_position", .gauge, "1 for the position that the switch is in.")
            for position in ["on", "online", "off", "unknown"] {
                text.sample(keySwitch.position.rawValue == position, ["position": position])
            }
            if let areUplinksOpen = keySwitch.areUplinksOpen {
                text.family(
                    "switch_uplinks_open", .gauge, "Whether the switch leaves the uplinks open.")
                text.sample(areUplinksOpen)
            }
            text.family("switch_changes_total", .counter, "How often the switch was turned.")
            text.sample(keySwitch.changes)
        }
    }

    private enum Kind: String {
        case gauge, counter
    }

    private struct Text {
        var lines: [String] = []
        private var name = ""

        mutating func family(_ name: String, _ kind: Kind, _ help: String) {
            self.name = "drawbridge_" + name
            lines.append("# HELP \(self.name) \(help)")
            lines.append("# TYPE \(self.name) \(kind.rawValue)")
        }

        mutating func sample(_ value: Bool, _ labels: KeyValuePairs<String, String> = [:]) {
            add(value ? "1" : "0", labels)
        }

        mutating func sample(
            _ value: some BinaryInteger, _ labels: KeyValuePairs<String, String> = [:]
        ) {
            add("\(value)", labels)
        }

        mutating func sample(_ value: Double, _ labels: KeyValuePairs<String, String>) {
            let isWhole = value == value.rounded() && abs(value) < 1e15
            add(isWhole ? "\(Int64(value))" : "\(value)", labels)
        }

        private mutating func add(_ value: String, _ labels: KeyValuePairs<String, String>) {
            let inner = labels.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }
            lines.append(
                name + (inner.isEmpty ? "" : "{\(inner.joined(separator: ","))}") + " " + value)
        }

        private static func escaped(_ value: String) -> String {
            value.reduce(into: "") { text, character in
                switch character {
                case "\\": text += "\\\\"
                case "\"": text += "\\\""
                case "\n": text += "\\n"
                default: text.append(character)
                }
            }
        }
    }
}
