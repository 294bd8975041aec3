/// The acceptance test of a key switch: what a technician is asked to do, and what must be seen then.
///
///     waiting(step) ── as expected, for `restMilliseconds` ──► the next step … ──► done
///          └── `patienceMilliseconds` ──► the step has failed, the next one
///
/// It looks at status documents and knows no clock: the caller says how much time has passed.
package struct SwitchWalk: Sendable {
    package struct Step: Equatable, Sendable {
        /// What to do.
        package var order: String
        /// What must follow, for the report.
        package var expectation: String
        /// Whether the gate must be open then.
        package var opens: Bool
    }

    package struct Outcome: Equatable, Sendable {
        package var step: Step
        package var isPassed: Bool
        /// What was seen: the latency of a cut, or why it failed.
        package var seen: String
    }

    /// How long a step may take a person.
    package static let patienceMilliseconds = 120_000
    /// How long it must stay as expected.
    package static let restMilliseconds = 1_000
    /// From the edge to the shut gate.
    package static let cutMillisecondsMax = 5.0

    package private(set) var outcomes: [Outcome] = []
    private var rest: [Step]
    private var spent = 0
    private var held = 0
    /// When the step began.
    private var cutsBefore: UInt64?

    /// `wire`: whether a wire may be taken off its terminal.
    package init(wire: Bool) {
        var steps = [
            Step(
                order: "Turn the key ON.", expectation: "remote access is allowed", opens: true),
            Step(
                order: "Turn the key OFF.", expectation: "remote access is closed", opens: false),
            Step(
                order: "Turn the key ON again.", expectation: "remote access is allowed again",
                opens: true),
        ]
        if wire {
            steps += [
                Step(
                    order: "Take one of the key's wires off its terminal.",
                    expectation: "a broken wire closes remote access", opens: false),
                Step(
                    order: "Put the wire back on.", expectation: "remote access is allowed again",
                    opens: true),
            ]
        }
        steps.append(
            Step(
                order: "Turn the key OFF, as it shall stay after the test.",
                expectation: "remote access is closed", opens: false))
        rest = steps
    }

    /// What to do now; nil: the walk is done.
    package var step: Step? { rest.first }

    package var isPassed: Bool { rest.isEmpty && outcomes.allSatisfy(\.isPassed) }

    /// Looks at the switch, `elapsed` milliseconds after the last look.
    package mutating func look(_ key: StatusDocument.KeySwitch, elapsed: Int) {
        guard let step = rest.first else { return }
        spent += elapsed
        let before = cutsBefore ?? key.cutCount
        cutsBefore = before
        // Of three positions "online" opens something, too, but no remote access.
        let isOpen = key.isGateOpen || !key.hasThreePositions && key.isAnythingOpen
        held = (step.opens ? isOpen : !key.isAnythingOpen) ? held + elapsed : 0
        if held >= Self.restMilliseconds {
            judge(step, key, cuts: key.cutCount - min(before, key.cutCount))
        } else if spent >= Self.patienceMilliseconds {
            finish(
                step, false,
                "not within \(Self.patienceMilliseconds / 1000) s; the line reads "
                    + "\(key.level ?? "nothing"), the gate is \(key.isAnythingOpen ? "open" : "shut")"
                    + (key.reason.isEmpty ? "" : ": \(key.reason)"))
        }
    }

    /// The state is as it must be; a cut must have been quick, too.
    private mutating func judge(_ step: Step, _ key: StatusDocument.KeySwitch, cuts: UInt64) {
        let latency =
            cuts > 0
            ? key.cuts.suffix(Int(min(cuts, 8))).compactMap(\.latencyMilliseconds).max() : nil
        guard !step.opens, let latency else {
            return finish(step, true, "line reads \(key.level ?? "nothing")")
        }
        finish(
            step, latency <= Self.cutMillisecondsMax,
            "gate shut \(SwitchText.milliseconds(latency)) ms after the edge")
    }

    private mutating func finish(_ step: Step, _ isPassed: Bool, _ seen: String) {
        outcomes.append(Outcome(step: step, isPassed: isPassed, seen: seen))
        rest.removeFirst()
        spent = 0
        held = 0
        cutsBefore = nil
    }

    /// The dated report.
    package func report(
        device: String, version: String, date: String, switch key: StatusDocument.KeySwitch
    ) -> String {
        var text = """
            Acceptance test of the key switch

            Router    \(device), Drawbridge \(version)
            Date      \(date)
            Result    \(isPassed ? "PASSED" : "NOT PASSED")


            """
        for (index, outcome) in outcomes.enumerated() {
            text +=
                "\(index + 1). \(outcome.isPassed ? "passed" : "FAILED")  \(outcome.step.order)\n"
            text += "   \(outcome.step.expectation): \(outcome.seen)\n"
        }
        return text + "\nThe switch after the test:\n\n" + SwitchText.render(key)
    }
}
