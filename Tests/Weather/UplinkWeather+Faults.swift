import Base
import Glibc
import Uplinks

// What the weather does.
extension UplinkWeather {
    mutating func begin() {
        for uplink in 0..<3 {
            lines.append(Line(loss: Double.random(in: 0...faults.lossMax, using: &random)))
            for fault in Fault.allCases {
                guard let rate = faults[fault] else { continue }
                // A cable may be out already at the start.
                let begins = fault != .unplug || Double.random(in: 0..<1, using: &random) < 0.8
                if !begins { lines[uplink].begin(fault, targets: [], using: &random) }
                schedule(
                    .fault(fault, uplink, begins: begins),
                    at: now + length(begins ? rate.every : rate.lasts))
            }
            kernel.update(uplink, lines[uplink])
        }
        schedule(.meddle, at: now + length(faults.meddleEvery))
        if let deaf = faults.deaf { schedule(.deaf(true), at: now + length(deaf.every)) }
    }

    mutating func play(_ fault: Fault, _ uplink: Int, begins: Bool) throws(Violation) {
        guard !isCalm, let rate = faults[fault] else { return }
        tell("\(uplink): \(fault) \(begins ? "begins" : "ends")")
        let until = now + length(begins ? rate.lasts : rate.every)
        schedule(.fault(fault, uplink, begins: !begins), at: until)
        if begins {
            lines[uplink].begin(fault, targets: limits[uplink].targets, using: &random)
            schedulePhase(fault, uplink, until: until)
        } else {
            lines[uplink].end(fault)
        }
        try changed(fault, uplink)
    }

    mutating func playPhase(_ fault: Fault, _ uplink: Int, until end: Instant) throws(Violation) {
        guard !isCalm, now < end else { return }
        lines[uplink].flap(fault)
        schedulePhase(fault, uplink, until: end)
        try changed(fault, uplink)
    }

    private mutating func schedulePhase(_ fault: Fault, _ uplink: Int, until end: Instant) {
        guard fault == .flaps || fault == .carrierFlaps else { return }
        let period = fault == .flaps ? faults.flap : faults.carrierFlap
        schedule(.phase(fault, uplink, until: end), at: now + period)
    }

    /// Of some faults the kernel knows.
    private mutating func changed(_ fault: Fault, _ uplink: Int) throws(Violation) {
        switch fault {
        case .unplug, .carrierFlaps, .interfaceGone, .addressGone, .gatewayGone:
            kernel.update(uplink, lines[uplink])
            try networkChanged()
        case .outage, .stall, .flaps, .targetDies, .targetLimited, .bloat, .latency, .brownOut,
            .outLost, .inLost, .captive:
            break
        }
    }

    mutating func meddle() throws(Violation) {
        guard !isCalm else { return }
        schedule(.meddle, at: now + length(faults.meddleEvery))
        kernel.meddle(using: &random)
        try networkChanged()
    }

    mutating func playDeaf(_ begins: Bool) throws(Violation) {
        guard !isCalm, let deaf = faults.deaf else { return }
        isDeaf = begins
        schedule(.deaf(!begins), at: now + length(begins ? deaf.lasts : deaf.every))
        // The end of the messages' queue: everything is asked for again.
        if !begins { try networkChanged() }
    }

    /// All faults stop: cables in, outages over, no loss, no meddling.
    package mutating func calmDown() throws(Violation) {
        isCalm = true
        isDeaf = false
        for uplink in 0..<3 {
            lines[uplink] = Line()
            kernel.update(uplink, lines[uplink])
        }
        try networkChanged()
    }

    /// Exponential: as long as one likes without an event, or several at once.
    private mutating func length(_ mean: Duration) -> Duration {
        let factor = -log(Double.random(in: 0.001..<1, using: &random))
        return .nanoseconds(Int64(Double(mean.nanoseconds) * factor))
    }
}
