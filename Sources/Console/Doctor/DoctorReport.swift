/// What `drawbridge doctor` found: steps in the order in which they depend on each other.
package struct DoctorReport: Codable, Equatable, Sendable {
    package enum Outcome: String, Codable, Sendable {
        case ok, failed
        /// Not tried, because an earlier step failed or nothing is configured.
        case skipped
    }

    package struct Step: Codable, Equatable, Sendable {
        /// `link`, `address`, `gateway`, `ping`, `dns`, `tcp`, `proxy`, `tls`, `mqtt`, `login`, `push`, `vpn`, `gpio`,
        /// `disk`, `clock`
        package var name: String
        package var outcome: Outcome
        /// What was found, or which cable, name, port or line to look at.
        package var text: String
    }

    package struct Part: Codable, Equatable, Sendable {
        /// `uplink office (eth0)`, `cloud`, `syslog`, `blocks`, `broker line-broker`, `push`, `remote access`, `router`
        package var name: String
        package var steps: [Step]
    }

    package static let currentVersion = 1

    package var version = Self.currentVersion
    package var device: String
    package var parts: [Part] = []
    /// The sentence to send to the IT department; nil: nothing to ask of it.
    package var forIT: String?

    package init(device: String) { self.device = device }

    package var failures: [Step] { parts.flatMap(\.steps).filter { $0.outcome == .failed } }

    /// For people; colour only where it is asked for.
    package func text(isColoured: Bool = false) -> String {
        var screen = Screen(width: .max, isColoured: isColoured)
        for part in parts {
            screen.line([Screen.Piece(part.name, .bold)])
            for step in part.steps { screen.line(step.pieces) }
            screen.line([])
        }
        switch failures.count {
        case 0: screen.line([Screen.Piece("Everything that was tried works.", .good)])
        case 1: screen.line([Screen.Piece("One step failed.", .bad)])
        case let count: screen.line([Screen.Piece("\(count) steps failed.", .bad)])
        }
        screen.line([])
        screen.line([
            Screen.Piece(
                forIT.map { "To the IT department: \($0)" }
                    ?? "Nothing to ask of the IT department.")
        ])
        return screen.lines.joined(separator: "\n") + "\n"
    }
}

extension DoctorReport.Step {
    /// A line for people.
    var pieces: [Screen.Piece] {
        let (mark, style): (String, Screen.Style) =
            switch outcome {
            case .ok: ("ok    ", .good)
            case .failed: ("FAILED", .bad)
            case .skipped: ("-     ", .dim)
            }
        return [
            Screen.Piece("  \(name.padded(8)) "), Screen.Piece(mark, style),
            Screen.Piece("  \(text)"),
        ]
    }
}
