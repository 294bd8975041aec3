import Base

/// A standby in a drill: the doctor's steps, and a session on top.
extension Diagnosis {
    /// Reckoned bytes of each step with IP headers: a question and its answer; a connection; a handshake that shows
    /// certificates; a whole session with both sides' certificates.
    private static let bytes = ["dns": 180, "tcp": 440, "tls": 5_500, "mqtt": 7_500]

    /// `greeting`: what the broker said over it; nil: it was not asked.
    func drill(
        _ found: DoctorFindings.Uplink, greeting: DoctorFindings.Greeting?, took time: Duration
    ) -> DrillReport.Uplink {
        var steps = steps(found).filter { $0.name != "proxy" }
        steps.append(session(greeting, after: steps.last { $0.outcome != .ok }))
        return DrillReport.Uplink(
            name: found.plan.name, interface: found.plan.interface, steps: steps,
            milliseconds: time.milliseconds,
            bytes: steps.filter { $0.outcome != .skipped }.reduce(0) {
                $0 + (Self.bytes[$1.name] ?? 0)
            })
    }

    private func session(_ greeting: DoctorFindings.Greeting?, after reason: Step?) -> Step {
        switch greeting {
        case nil:
            return skipped("mqtt", "not tried\(reason.map { ": see \($0.name)" } ?? "")")
        case .leftOut(let why):
            return skipped("mqtt", why)
        case .answered(.accepted, let time):
            return ok(
                "mqtt", "the broker accepts a session, \(Figure.decimal(time.milliseconds)) ms")
        case .answered(.refused(let why), _):
            // The way to it works, which is what a drill is about.
            return ok("mqtt", "the broker answers, but refuses a second session: \(why)")
        case .answered(.strange, _):
            return failed("mqtt", "what answers is no broker: look at [cloud] broker")
        case .failed(let why):
            return failed(
                "mqtt",
                "no session with \(plan.brokerHost): \(why): look at [cloud] certificate and key, and whether "
                    + "something between lets only parts of a connection through")
        }
    }
}

extension DoctorFindings {
    /// What came of a session of our own over an uplink.
    enum Greeting: Equatable, Sendable {
        case answered(MQTTGreeting.Answer, after: Duration)
        case failed(String)
        /// It was not to be asked, and why.
        case leftOut(String)
    }
}
