/// What `drawbridge switch` prints: the key, the wire, the gate, and how quickly it was shut.
package enum SwitchText {
    private static let labelWidth = 11

    /// `time`: for the time of day when remote access ends.
    package static func render(
        _ key: StatusDocument.KeySwitch, at time: LocalTime? = nil
    ) -> String {
        let reason = key.reason.isEmpty ? "" : " (\(key.reason))"
        var lines = [
            (
                "Position",
                "\(key.words)\(reason), for \(Figure.age(seconds: key.sinceSeconds))"
            )
        ]
        if let end = time.flatMap({ key.end(at: $0) }) {
            lines.append(("Limit", "remote access \(end)"))
        }
        lines += [
            ("Line", "\(key.line) \(readings(key))"),
            (
                "Wire",
                key.isBrokenWireOff
                    ? "a broken wire reads as off"
                    : "a broken wire would NOT read as off: see docs/switch.md"
            ),
            ("Gate", gate(key)),
            ("Thread", thread(key)),
            ("Cuts", cuts(key)),
        ]
        if let lamp = key.lamp { lines.append(("Lamp", lamp)) }
        return lines.map { $0.padded(labelWidth) + $1 + "\n" }.joined()
    }

    private static func readings(_ key: StatusDocument.KeySwitch) -> String {
        guard let remote = key.remoteLevel else { return "reads \(key.level ?? "nothing")" }
        return "read \(key.level ?? "nothing") and \(remote)"
    }

    private static func gate(_ key: StatusDocument.KeySwitch) -> String {
        let killed =
            key.closesWithDaemon
            ? "closes with the daemon" : "closes at the end of its lease when the daemon dies"
        guard key.isAnythingOpen, let age = key.leaseAgeMilliseconds else {
            return "shut; \(killed)"
        }
        return "open; lease renewed \(Int(age)) ms ago; \(killed)"
    }

    private static func thread(_ key: StatusDocument.KeySwitch) -> String {
        let schedule =
            switch key.schedule {
            case "real-time": "real-time: before every ordinary program"
            case "favoured": "favoured, not real-time: a busy machine may delay a cut"
            default: "ordinary: a busy machine may delay a cut"
            }
        return schedule + (key.isMemoryLocked ? "; memory locked" : "; memory NOT locked")
    }

    private static func cuts(_ key: StatusDocument.KeySwitch) -> String {
        guard !key.cuts.isEmpty else { return "none since the daemon started" }
        let last = key.cuts.reversed().map { cut in
            let ago = "\(Figure.age(seconds: cut.secondsAgo)) ago"
            return cut.latencyMilliseconds.map { "\(milliseconds($0)) ms (\(ago))" } ?? ago
        }
        return "\(Figure.count(key.cutCount)), from edge to shut gate: "
            + last.joined(separator: ", ")
    }

    /// Two decimals.
    package static func milliseconds(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
