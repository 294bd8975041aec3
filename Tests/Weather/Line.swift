import Base
import TestSupport
import Uplinks

/// One uplink's way to the internet, in whatever weather there is.
struct Line {
    /// Share of packets that are lost at random.
    var loss = 0.0
    /// By `Fault.rawValue`.
    private var faults: UInt32 = 0
    /// What these faults are like this time.
    private var brownOutLoss = 0.0
    private var asymmetricLoss = 0.0
    private var bloat = Duration.zero
    private var target: IPv4Address?
    /// The present phase of flaps.
    private var isFlapped = false
    private var isCarrierFlapped = false
    private var limitedUntil = Instant.boot

    init(loss: Double = 0) { self.loss = loss }

    func has(_ fault: Fault) -> Bool { faults & (1 << UInt32(fault.rawValue)) != 0 }

    /// No carrier.
    var isUnplugged: Bool { has(.unplug) || (has(.carrierFlaps) && isCarrierFlapped) }
    /// A packet can go out of the interface, and come in.
    var isOpen: Bool { !isUnplugged && !has(.interfaceGone) && !has(.addressGone) }

    /// Nothing passes at all.
    private var isBlocked: Bool {
        has(.outage) || has(.stall) || (has(.flaps) && isFlapped) || !isOpen
    }

    mutating func begin(
        _ fault: Fault, targets: [IPv4Address], using random: inout SeededGenerator
    ) {
        faults |= 1 << UInt32(fault.rawValue)
        switch fault {
        case .flaps: isFlapped = true
        case .carrierFlaps: isCarrierFlapped = true
        case .targetDies, .targetLimited: target = targets.randomElement(using: &random)
        case .bloat: bloat = .milliseconds(Int64.random(in: 50...3000, using: &random))
        case .brownOut: brownOutLoss = Double.random(in: 0.15...0.6, using: &random)
        case .outLost, .inLost: asymmetricLoss = Bool.random(using: &random) ? 1 : 0.5
        case .outage, .stall, .unplug, .interfaceGone, .addressGone, .gatewayGone, .latency,
            .captive:
            break
        }
    }

    mutating func flap(_ fault: Fault) {
        if fault == .flaps { isFlapped.toggle() } else { isCarrierFlapped.toggle() }
    }

    mutating func end(_ fault: Fault) {
        faults &= ~(1 << UInt32(fault.rawValue))
    }

    /// How much later than usual a probe is answered; nil: not at all.
    mutating func passes(
        to target: IPv4Address, limit: Duration, at now: Instant,
        using random: inout SeededGenerator
    ) -> Duration? {
        guard passesOut(using: &random), !(has(.targetDies) && target == self.target) else {
            return nil
        }
        if has(.targetLimited), target == self.target {
            guard limitedUntil <= now else { return nil }
            limitedUntil = now + limit
        }
        guard passesIn(using: &random) else { return nil }
        return (has(.bloat) ? bloat : .zero) + (has(.latency) ? .seconds(5) : .zero)
    }

    private func passesOut(using random: inout SeededGenerator) -> Bool {
        guard !isBlocked, Double.random(in: 0..<1, using: &random) >= loss else { return false }
        if has(.brownOut), Double.random(in: 0..<1, using: &random) < brownOutLoss { return false }
        return !has(.outLost) || Double.random(in: 0..<1, using: &random) >= asymmetricLoss
    }

    private func passesIn(using random: inout SeededGenerator) -> Bool {
        !has(.inLost) || Double.random(in: 0..<1, using: &random) >= asymmetricLoss
    }

    /// Whether a client's packet is answered.
    func isAnswered(using random: inout SeededGenerator) -> Bool {
        passesOut(using: &random) && passesIn(using: &random)
    }
}
