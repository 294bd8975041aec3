import Base
import Testing
import Uplinks

@Suite("Watch for login pages")
struct PortalWatchTests {
    private static let begin = Instant(nanoseconds: 1_000_000_000_000)
    private static let page = PortalWatch.Finding.captive("wants a login at hotel.example")
    private static let silence = PortalWatch.Finding.unknown("no answer")

    private func at(_ seconds: Double) -> Instant {
        Self.begin + .nanoseconds(Int64(seconds * 1e9))
    }

    /// Up, and told twice that it wants a login.
    private func captive() -> PortalWatch {
        var watch = PortalWatch()
        _ = watch.standingChanged(to: .up, at: at(0))
        _ = watch.answered(Self.page, to: 1, at: at(0))
        _ = watch.timePassed(at: at(1))
        _ = watch.answered(Self.page, to: 2, at: at(1))
        return watch
    }

    @Test("behaviour 4.13: asks when the uplink comes up, and rarely while all is well")
    func free() {
        var watch = PortalWatch()
        #expect(watch.standingChanged(to: .untried, at: at(0)) == [])
        #expect(watch.nextWakeUp == nil)
        #expect(watch.standingChanged(to: .up, at: at(0)) == [.ask(1)])
        #expect(watch.nextWakeUp == nil)
        #expect(watch.answered(.free, to: 1, at: at(0.5)) == [])
        #expect(watch.nextWakeUp == at(300.5))
        #expect(watch.timePassed(at: at(300)) == [])
        #expect(watch.timePassed(at: at(300.5)) == [.ask(2)])
    }

    @Test("behaviour 4.13: one odd answer proves nothing, two in a row do")
    func twoInARow() {
        var watch = PortalWatch()
        _ = watch.standingChanged(to: .up, at: at(0))
        #expect(watch.answered(Self.page, to: 1, at: at(0)) == [])
        #expect(!watch.isCaptive)
        #expect(watch.timePassed(at: at(1)) == [.ask(2)])
        #expect(watch.answered(.free, to: 2, at: at(1)) == [])
        _ = watch.timePassed(at: at(301))
        #expect(watch.answered(Self.page, to: 3, at: at(301)) == [])
        _ = watch.timePassed(at: at(302))
        #expect(
            watch.answered(Self.page, to: 4, at: at(302))
                == [.declare(isCaptive: true, reason: "wants a login at hotel.example")])
        #expect(watch.login == "wants a login at hotel.example")
    }

    @Test("behaviour 4.13: a login that is typed is seen soon, one that never is costs little")
    func clears() {
        var watch = captive()
        var now = 1.0
        var pauses: [Double] = []
        for check in 3..<80 {
            guard let due = watch.nextWakeUp else { break }
            pauses.append((due - at(now)).inSeconds)
            now = (due - Self.begin).inSeconds
            #expect(watch.timePassed(at: due) == [.ask(check)])
            #expect(watch.answered(Self.page, to: check, at: due) == [])
        }
        #expect(pauses.first == 10)
        #expect(pauses.last == 60)
        #expect(zip(pauses, pauses.dropFirst()).allSatisfy { $0 <= $1 + 1e-6 })
        _ = watch.timePassed(at: at(now + 60))
        #expect(
            watch.answered(.free, to: 80, at: at(now + 60))
                == [.declare(isCaptive: false, reason: "it wants no login any more")])
        #expect(watch.login == nil)
        #expect(watch.nextWakeUp == at(now + 360))
    }

    @Test(
        "behaviour 4.13: no answer says nothing, and is asked for again after a pause that doubles")
    func unknown() {
        var watch = PortalWatch()
        _ = watch.standingChanged(to: .up, at: at(0))
        var now = 0.0
        var pauses: [Double] = []
        for check in 1...8 {
            #expect(watch.answered(Self.silence, to: check, at: at(now)) == [])
            guard let due = watch.nextWakeUp else { break }
            pauses.append((due - at(now)).inSeconds)
            now = (due - Self.begin).inSeconds
            _ = watch.timePassed(at: due)
        }
        #expect(pauses == [10, 20, 40, 80, 160, 300, 300, 300])
        #expect(!watch.isCaptive)
    }

    @Test("behaviour 4.13: what nobody confirms any more is not believed for ever")
    func forgets() {
        var watch = captive()
        for check in 3..<32 {
            guard let due = watch.nextWakeUp else { break }
            _ = watch.timePassed(at: due)
            #expect(watch.answered(Self.silence, to: check, at: due) == [])
            #expect(watch.isCaptive)
        }
        guard let due = watch.nextWakeUp else { return }
        _ = watch.timePassed(at: due)
        #expect(watch.answered(Self.silence, to: 32, at: due).count == 1)
        #expect(!watch.isCaptive)
    }

    @Test("behaviour 4.13: the verdict outlasts silence, but not the loss of its link")
    func linkLost() {
        var watch = captive()
        #expect(watch.standingChanged(to: .down, at: at(5)) == [])
        #expect(watch.isCaptive)
        #expect(watch.nextWakeUp == nil)
        #expect(watch.standingChanged(to: .recovering, at: at(6)) == [])
        #expect(watch.standingChanged(to: .up, at: at(7)) == [.ask(3)])
        #expect(
            watch.standingChanged(to: .noLink, at: at(8))
                == [.declare(isCaptive: false, reason: "its link was lost")])
        // Of the network before.
        #expect(watch.answered(Self.page, to: 3, at: at(9)) == [])
        _ = watch.standingChanged(to: .down, at: at(10))
        #expect(watch.standingChanged(to: .up, at: at(11)) == [.ask(4)])
        #expect(watch.answered(Self.page, to: 3, at: at(11)) == [])
        #expect(watch.nextWakeUp == nil)
    }

    @Test("another address may be another network: it is asked at once")
    func pathChanged() {
        var watch = PortalWatch()
        watch.pathChanged(at: at(0))
        #expect(watch.nextWakeUp == nil)
        _ = watch.standingChanged(to: .up, at: at(0))
        watch.pathChanged(at: at(1))
        #expect(watch.timePassed(at: at(1)) == [.ask(2)])
        #expect(watch.answered(Self.page, to: 1, at: at(2)) == [])
        #expect(watch.last == nil)
        _ = watch.answered(.free, to: 2, at: at(2))
        #expect(watch.nextWakeUp == at(302))
    }
}
