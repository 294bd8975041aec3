/// What `drawbridge uplinks drill` found: for each uplink the steps in the order in which they depend on each other.
package struct DrillReport: Codable, Equatable, Sendable {
    package struct Uplink: Codable, Equatable, Sendable {
        package var name: String
        package var interface: String
        /// `link`, `address`, `gateway`, `ping`, `dns`, `tcp`, `tls`, `mqtt`
        package var steps: [DoctorReport.Step]
        /// From the first packet to the end of the last step.
        package var milliseconds: Double
        /// What its packets took, reckoned from the steps that were reached.
        package var bytes: Int

        package var failure: DoctorReport.Step? { steps.first { $0.outcome == .failed } }
        /// It was left out.
        package var isSkipped: Bool { steps.allSatisfy { $0.outcome == .skipped } }

        /// `wifi ok`, `lte failed at dns`
        package var words: String {
            if let failure { return "\(name) failed at \(failure.name)" }
            return isSkipped ? "\(name) left out" : "\(name) ok"
        }
    }

    package static let currentVersion = 1

    package var version = Self.currentVersion
    package var device: String
    package var uplinks: [Uplink] = []
    /// Why it was given up before its end; nil: it was not.
    package var aborted: String?

    package init(device: String) { self.device = device }

    /// A session was begun over one of them.
    package var isSessionTried: Bool {
        uplinks.contains { $0.steps.contains { $0.name == "mqtt" && $0.outcome != .skipped } }
    }

    package var isGood: Bool { aborted == nil && uplinks.allSatisfy { $0.failure == nil } }

    /// `wifi ok, lte failed at dns`
    package var words: String {
        if let aborted { return "given up: \(aborted)" }
        return uplinks.isEmpty
            ? "there is no standby" : uplinks.map(\.words).joined(separator: ", ")
    }

    /// For people; colour only where it is asked for.
    package func text(isColoured: Bool = false) -> String {
        var screen = Screen(width: .max, isColoured: isColoured)
        for uplink in uplinks {
            screen.line([Screen.Piece("uplink \(uplink.name) (\(uplink.interface))", .bold)])
            for step in uplink.steps { screen.line(step.pieces) }
            screen.line([
                Screen.Piece(
                    "  in \(Figure.decimal(uplink.milliseconds)) ms, about \(uplink.bytes) bytes",
                    .dim)
            ])
            screen.line([])
        }
        screen.line([Screen.Piece("Drill: \(words).", isGood ? .good : .bad)])
        return screen.lines.joined(separator: "\n") + "\n"
    }
}
