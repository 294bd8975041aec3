import Base
import Testing
import Uplinks

@Suite("Uplink selector: holds, suspicion, quality")
struct HoldTests {
    private static let begin = Instant(nanoseconds: 1_000_000_000_000)

    private func at(_ seconds: Double) -> Instant {
        Self.begin + .nanoseconds(Int64(seconds * 1e9))
    }

    /// All are up, and 0 carries.
    private func selector(_ uplinks: Int = 2, hold: Int64 = 30, holdMax: Int64 = 600)
        -> UplinkSelector
    {
        var selector = UplinkSelector(
            uplinks: uplinks, limits: .init(hold: .seconds(hold), holdMax: .seconds(holdMax)))
        _ = selector.started(Array(repeating: .untried, count: uplinks), at: at(0))
        for uplink in 0..<uplinks {
            _ = selector.standingChanged(uplink, to: .up, at: at(0))
        }
        return selector
    }

    @Test("behaviour 4.5: fail-back waits until the better uplink was good for its hold")
    func hold() {
        var selector = selector()
        #expect(selector.standingChanged(0, to: .down, at: at(10)) == [.carry(1)])
        #expect(selector.standingChanged(0, to: .recovering, at: at(20)) == [])
        #expect(selector.standingChanged(0, to: .up, at: at(24)) == [])
        // From its first answer on.
        #expect(selector.nextWakeUp == at(50))
        #expect(selector.timePassed(at: at(49.9)) == [])
        #expect(selector.timePassed(at: at(50)) == [.carry(0)])
        #expect(selector.nextWakeUp == nil)
    }

    @Test("behaviour 4.5: the hold doubles with each failure, up to its bound, and is forgotten")
    func damping() throws {
        var selector = selector(hold: 10, holdMax: 60)
        var now = 0.0
        for expected in [10.0, 20, 40, 60, 60, 60] {
            _ = selector.standingChanged(0, to: .down, at: at(now))
            _ = selector.standingChanged(0, to: .up, at: at(now + 1))
            #expect(selector.heldUntil(0) == at(now + 1 + expected))
            now += 2
        }
        #expect(selector.carrying == 1)
        #expect(selector.timePassed(at: at(now + 60)) == [.carry(0)])
        // Good for as long as the longest hold: as if it were the first failure.
        _ = selector.standingChanged(0, to: .down, at: at(now + 200))
        _ = selector.standingChanged(0, to: .up, at: at(now + 201))
        #expect(selector.heldUntil(0) == at(now + 211))
    }

    @Test("behaviour 4.13: a login page is a failure, once, and its end begins the hold")
    func captive() {
        var selector = selector()
        #expect(selector.captivityChanged(0, isCaptive: true, at: at(10)) == [.carry(1)])
        _ = selector.standingChanged(0, to: .down, at: at(12))
        _ = selector.standingChanged(0, to: .recovering, at: at(14))
        _ = selector.standingChanged(0, to: .up, at: at(16))
        #expect(selector.heldUntil(0) == nil)
        #expect(selector.captivityChanged(0, isCaptive: false, at: at(20)) == [])
        #expect(selector.nextWakeUp == at(50))
        #expect(selector.timePassed(at: at(50)) == [.carry(0)])
    }

    @Test("a held uplink carries at once when there is nothing better")
    func heldIsBetterThanNothing() {
        var selector = selector()
        _ = selector.standingChanged(0, to: .down, at: at(1))
        _ = selector.standingChanged(0, to: .up, at: at(2))
        #expect(selector.carrying == 1)
        #expect(selector.standingChanged(1, to: .down, at: at(3)) == [.carry(0)])
    }

    @Test("a link that is 8 s down and 8 s up costs one switch")
    func flapping() {
        var selector = selector()
        for cycle in 0..<10 {
            let begin = Double(cycle) * 16
            _ = selector.standingChanged(0, to: .down, at: at(begin + 1))
            _ = selector.timePassed(at: at(begin + 4))
            _ = selector.standingChanged(0, to: .recovering, at: at(begin + 8))
            _ = selector.standingChanged(0, to: .up, at: at(begin + 12))
            _ = selector.timePassed(at: at(begin + 15.9))
        }
        #expect(selector.switches == 1)
    }

    @Test("a fallback that is itself suspected is waited for, unless the cable is out")
    func suspectedFallback() {
        var selector = selector(3)
        _ = selector.suspicionChanged(1, to: true, at: at(1))
        _ = selector.suspicionChanged(2, to: true, at: at(1))
        #expect(selector.standingChanged(0, to: .down, at: at(2)) == [])
        #expect(selector.suspicionChanged(2, to: false, at: at(2.1)) == [.carry(2)])
        #expect(selector.standingChanged(2, to: .noLink, at: at(3)) == [.carry(1)])
    }

    @Test("a suspicion of the one that carries holds back no fail-back")
    func suspectedCarrier() {
        var selector = selector()
        _ = selector.standingChanged(0, to: .down, at: at(5))
        _ = selector.standingChanged(0, to: .up, at: at(10))
        #expect(selector.carrying == 1)
        // Its traffic puts the verdict off for as long as it likes.
        #expect(selector.suspicionChanged(1, to: true, at: at(11)) == [])
        #expect(selector.nextWakeUp == selector.heldUntil(0))
        let ripe = selector.heldUntil(0) ?? .boot
        #expect(selector.timePassed(at: ripe - .nanoseconds(1)) == [])
        #expect(selector.timePassed(at: ripe) == [.carry(0)])
    }

    @Test("behaviour 4.4: the only target dead on all uplinks: nothing is withdrawn")
    func targetDead() {
        var selector = selector()
        _ = selector.suspicionChanged(0, to: true, at: at(1))
        _ = selector.suspicionChanged(1, to: true, at: at(1.1))
        #expect(selector.standingChanged(0, to: .down, at: at(2)) == [])
        #expect(selector.standingChanged(1, to: .down, at: at(2.1)) == [])
        #expect(selector.carrying == 0 && selector.switches == 0)
    }

    @Test("behaviour 4.6: a poor uplink is left for a good one, and taken again when it is clean")
    func poor() {
        var selector = selector()
        #expect(selector.qualityChanged(0, isPoor: true, at: at(5)) == [.carry(1)])
        #expect(selector.standingChanged(1, to: .down, at: at(6)) == [.carry(0)])
        _ = selector.standingChanged(1, to: .up, at: at(7))
        #expect(selector.carrying == 1)
        #expect(selector.qualityChanged(0, isPoor: false, at: at(70)) == [.carry(0)])
    }

    @Test("a restart keeps the route that works, and what was better must prove itself")
    func restart() {
        var selector = UplinkSelector(
            uplinks: 2, limits: .init(hold: .seconds(30), holdMax: .seconds(600)))
        #expect(selector.started([.untried, .untried], present: 1, at: at(0)) == [.carry(1)])
        #expect(selector.standingChanged(1, to: .up, at: at(0.1)) == [])
        #expect(selector.standingChanged(0, to: .up, at: at(0.2)) == [])
        #expect(selector.timePassed(at: at(30.2)) == [.carry(0)])
        #expect(selector.switches == 1)
    }

    @Test("nothing is ever chosen that has no link while another has one", arguments: 1...50)
    func randomLife(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var selector = selector(3, hold: 5, holdMax: 20)
        var standings = [UplinkSelector.Standing](repeating: .up, count: 3)
        let all: [UplinkSelector.Standing] = [.noLink, .doubtful, .up, .up, .down, .recovering]
        for step in 1...2000 {
            let uplink = Int.random(in: 0..<3, using: &random)
            let now = at(Double(step))
            switch Int.random(in: 0..<6, using: &random) {
            case 0...2:
                standings[uplink] = all[Int.random(in: 0..<6, using: &random)]
                _ = selector.standingChanged(uplink, to: standings[uplink], at: now)
            case 3:
                let isSuspected = Bool.random(using: &random) && standings[uplink] == .up
                _ = selector.suspicionChanged(uplink, to: isSuspected, at: now)
            case 4:
                _ = selector.qualityChanged(
                    uplink, isPoor: Bool.random(using: &random), at: now)
            default: _ = selector.timePassed(at: now)
            }
            let carrying = try #require(selector.carrying)
            if standings.contains(where: { $0 != .noLink }) {
                #expect(standings[carrying] != .noLink, "seed \(seed), step \(step)")
            }
        }
    }
}

/// A small generator with a seed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
