import Base
import TestSupport
import Testing

@testable import Tunnel

/// OpenVPN and the resolver as the machine sees them, and what it may never do with them.
private struct World {
    var tunnel: TunnelSupervisor
    var now = Instant(nanoseconds: 0)
    var alarm: Instant?
    var hasChild = false
    var isHeld = false
    /// It was asked to restart, says so, and waits.
    var isMoving = false
    var isAsked = false
    var isEnrolling = false
    /// Credentials that no session has used, and may therefore be released with.
    var credentials = 0
    var isStopping = false
    var isAllowed = false
    var faults: [String] = []

    mutating func apply(_ effects: [TunnelSupervisor.Effect]) {
        for effect in effects {
            switch effect {
            case .resolve: isAsked = true
            case .startChild:
                if hasChild { faults.append("two children") }
                if !isAllowed { faults.append("started while forbidden") }
                hasChild = true
                isHeld = true
                isMoving = false
                isStopping = false
            case .enrol:
                if !hasChild || isStopping { faults.append("enrolled for nobody") }
                isEnrolling = true
                credentials = 0
            case .releaseHold:
                if !hasChild || !isHeld || isStopping { faults.append("released nobody") }
                if tunnel.enrols, credentials != 1 {
                    faults.append("released with a used credential")
                }
                credentials = 0
                isHeld = false
            case .restartSession:
                if !hasChild || isStopping { faults.append("moved nobody") }
                isMoving = true
            case .stopChild:
                if !hasChild || isStopping { faults.append("stopped nobody, or twice") }
                isStopping = true
            case .wakeUp(let time):
                if time < now { faults.append("a wake-up in the past") }
                alarm = time
            }
        }
        if tunnel.isAllowed != isAllowed { faults.append("forgot what is allowed") }
        if !isAllowed && hasChild && !isStopping { faults.append("alive while forbidden") }
        if tunnel.phase == .connected && !hasChild { faults.append("connected to nobody") }
    }

    /// Lets one thing happen that may happen now.
    mutating func step(_ random: inout SeededGenerator, isCalm: Bool) {
        now += .milliseconds(Int64.random(in: 0...3000, using: &random))
        if let due = alarm, now >= due {
            alarm = nil
            apply(tunnel.timer(at: now, using: &random))
        }
        let dice = Int.random(in: 0..<100, using: &random)
        if isAsked && dice < 50 {
            isAsked = false
            let server = IPv4Address(value: 1)
            if isCalm || dice < 30 {
                apply(tunnel.resolved([server], at: now, using: &random))
            } else {
                apply(tunnel.resolveFailed(at: now, using: &random))
            }
        } else if isEnrolling && dice < 60 {
            isEnrolling = false
            if isCalm || dice < 40 {
                credentials = 1
                let life = Duration.seconds(Int.random(in: 10...60, using: &random))
                apply(tunnel.enrolled(for: life, at: now, using: &random))
            } else {
                let patience: Duration? = dice < 50 ? .seconds(5) : nil
                apply(tunnel.enrolFailed(retryAfter: patience, at: now, using: &random))
            }
        } else if hasChild && (isStopping || !isCalm && dice < 55) {
            hasChild = false
            credentials = 0
            apply(tunnel.childExited(at: now, using: &random))
        } else if hasChild && isMoving && !isStopping {
            isMoving = false
            isHeld = true
            apply(tunnel.stateReported(SessionReport(.reconnecting), at: now))
        } else if hasChild && isHeld && !isStopping && tunnel.phase != .enrolling {
            apply(tunnel.holdReported(at: now))
        } else if hasChild && !isHeld && (isCalm || dice < 80) {
            apply(tunnel.stateReported(SessionReport(.connected), at: now))
        } else if hasChild && !isCalm {
            isHeld = true
            apply(tunnel.stateReported(SessionReport(.reconnecting), at: now))
        } else if !isCalm && dice < 70 {
            wish(&random)
        }
    }

    mutating func wish(_ random: inout SeededGenerator) {
        switch Int.random(in: 0..<3, using: &random) {
        case 0:
            isAllowed = true
            apply(tunnel.allowed(at: now))
        case 1:
            isAllowed = false
            apply(tunnel.forbidden())
        default:
            apply(tunnel.uplinkChanged(at: now))
        }
    }
}

@Suite("tunnel: in every weather")
struct TunnelWeatherTests {
    @Test(
        "one child at most, none while forbidden; connected once the weather is calm",
        arguments: 0..<300 as Range<UInt64>, [false, true])
    func weather(seed: UInt64, enrols: Bool) {
        var random = SeededGenerator(seed: seed)
        var world = World(tunnel: TunnelSupervisor(enrols: enrols))
        for _ in 0..<400 {
            if Int.random(in: 0..<10, using: &random) == 0 { world.wish(&random) }
            world.step(&random, isCalm: false)
        }
        world.isAllowed = true
        world.apply(world.tunnel.allowed(at: world.now))
        var connected = 0
        for _ in 0..<400 {
            world.step(&random, isCalm: true)
            if world.tunnel.phase == .connected { connected += 1 }
        }
        #expect(world.faults.isEmpty, "seed \(seed): \(world.faults)")
        // With credentials that live for a minute a renewal may be under way at any moment.
        #expect(
            enrols ? connected > 50 : world.tunnel.phase == .connected, "seed \(seed)")
    }
}
