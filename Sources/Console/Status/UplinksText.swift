/// `drawbridge uplinks`: each way out, how it serves, and why which one carries; the last switches.
package enum UplinksText {
    /// Most columns of a line.
    static let columns = 100
    /// Most switches that are told.
    static let switchesMax = 10
    private static let bars: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    package static func render(_ document: StatusDocument, isColoured: Bool = false) -> String {
        var screen = Screen(width: columns, isColoured: isColoured)
        for uplink in document.uplinks {
            screen.line([
                .init("\(uplink.name.padded(12)) ", .bold),
                .init(
                    "\(uplink.interface.padded(8)) \((uplink.address ?? "no address").padded(16)) "),
                state(uplink), .init("for \(Figure.age(seconds: uplink.sinceSeconds))"),
            ])
            screen.line([.init("  \(sentence(uplink))")])
            screen.line([.init("  \(figures(uplink))", .dim)])
            if let budget = ProbeBudgetWords.sentence(uplink) {
                screen.line([.init("  \(budget)", .dim)])
            }
            if let probes = uplink.probesMilliseconds, !probes.isEmpty {
                screen.line([.init("  \(sparkline(probes))")])
            }
        }
        if let drill = document.drill { screen.line([StatusText.drill(drill, document)]) }
        let history = document.uplinkHistory ?? []
        screen.line([
            .init(
                history.isEmpty
                    ? "No switch yet" : "Switches: \(Figure.count(document.uplinkSwitches))", .bold)
        ])
        for change in history.suffix(switchesMax).reversed() {
            let blackout =
                change.blackoutMilliseconds.map { "silent for \(Figure.decimal($0)) ms" }
                ?? "nothing was cut"
            let resets = change.resets == 0 ? "" : ", \(change.resets) connections reset"
            screen.line([
                .init(
                    "  \(Figure.age(seconds: change.secondsAgo)) ago  \(change.from) → \(change.to), "
                        + "\(blackout)\(resets): \(change.cause)")
            ])
        }
        return screen.lines.map { $0 + "\n" }.joined()
    }

    private static func state(_ uplink: StatusDocument.Uplink) -> Screen.Piece {
        guard uplink.isUp else { return .init("down      ", .bad) }
        if uplink.login != nil {
            return .init(uplink.isCarrying ? "carrying  " : "login     ", .bad)
        }
        return uplink.isCarrying ? .init("carrying  ", .good) : .init("ready     ")
    }

    /// Why it is as it is.
    static func sentence(_ uplink: StatusDocument.Uplink) -> String {
        // That its probes are answered is no news then, and a line has an end.
        var parts = [uplink.login ?? uplink.reason]
        if let poorness = uplink.poorness { parts.append("serves badly: \(poorness)") }
        if uplink.isUp, let held = uplink.heldSeconds {
            parts.append("has failed lately, used again in \(Figure.age(seconds: held))")
        }
        if !uplink.isUp || uplink.login != nil, uplink.isCarrying {
            parts.append("keeps the route, for nothing is better")
        }
        return parts.joined(separator: "; ")
    }

    private static func figures(_ uplink: StatusDocument.Uplink) -> String {
        var figures: [String] = []
        if let time = uplink.rttMilliseconds { figures.append("\(Figure.decimal(time)) ms") }
        if let jitter = uplink.jitterMilliseconds {
            figures.append("jitter \(Figure.decimal(jitter)) ms")
        }
        if let loss = uplink.lossPercent { figures.append("\(Figure.decimal(loss)) % lost") }
        let silent = uplink.silentTargets ?? []
        let targets = (uplink.targets ?? []).map { silent.contains($0) ? "\($0) silent" : $0 }
        return (figures + ["targets \(targets.joined(separator: ", "))"]).joined(separator: ", ")
    }

    /// One column a probe: taller is slower, relative to the slowest; lost ones are crosses.
    static func sparkline(_ probes: [Double?]) -> String {
        let slowest = max(probes.compactMap { $0 }.max() ?? 0, 0.001)
        return String(
            probes.map { time -> Character in
                guard let time, time.isFinite else { return "×" }
                let step = Int(max(0, time) / slowest * Double(bars.count - 1))
                return bars[min(bars.count - 1, step)]
            })
    }
}
