import Base
import TestSupport
import Testing
import Tunnel

@Suite("tunnel: the decisions")
struct TunnelSupervisorTests {
    private typealias Effect = TunnelSupervisor.Effect

    private let first = IPv4Address(value: 0xcb00_710a)
    private let second = IPv4Address(value: 0xcb00_710b)
    private let inside = IPv4Address(value: 0x0a08_0002)

    private func at(_ seconds: Double) -> Instant {
        Instant(nanoseconds: Int64(seconds * 1e9))
    }

    /// `#expect` would take a copy of the machine.
    private func expect(
        _ effects: [Effect], _ expected: [Effect], _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(effects == expected, sourceLocation: location)
    }

    /// A machine whose session is connected at 1 s.
    private func connected(_ random: inout SeededGenerator) -> TunnelSupervisor {
        var tunnel = TunnelSupervisor()
        _ = tunnel.allowed(at: at(0))
        _ = tunnel.resolved([first], at: at(0), using: &random)
        _ = tunnel.holdReported(at: at(0))
        _ = tunnel.stateReported(SessionReport(.connected, address: inside), at: at(1))
        return tunnel
    }

    @Test("allowed, looked up, started, released, connected")
    func straight() {
        var random = SeededGenerator(seed: 1)
        var tunnel = TunnelSupervisor()
        #expect(tunnel.phase == .forbidden && !tunnel.isAllowed)
        expect(tunnel.allowed(at: at(0)), [.resolve, .wakeUp(at: at(15))])
        expect(tunnel.allowed(at: at(0)), [])
        expect(
            tunnel.resolved([first, second], at: at(1), using: &random),
            [.wakeUp(at: at(6)), .startChild(first)])
        #expect(tunnel.phase == .starting && tunnel.server == first)
        expect(tunnel.holdReported(at: at(2)), [.releaseHold, .wakeUp(at: at(22))])
        expect(tunnel.stateReported(SessionReport(.waiting), at: at(2)), [])
        #expect(tunnel.phase == .connecting)
        expect(
            tunnel.stateReported(SessionReport(.connected, address: inside), at: at(3)), [])
        #expect(tunnel.phase == .connected && tunnel.address == inside)
    }

    @Test("forbidden ends the child at once; allowed meanwhile, it begins again after its end")
    func forbidden() {
        var random = SeededGenerator(seed: 1)
        var tunnel = connected(&random)
        expect(tunnel.forbidden(), [.stopChild])
        #expect(tunnel.phase == .stopping && !tunnel.isAllowed && tunnel.address == nil)
        expect(tunnel.forbidden(), [])
        expect(tunnel.allowed(at: at(2)), [])
        expect(
            tunnel.childExited(at: at(2), using: &random), [.resolve, .wakeUp(at: at(17))])
        expect(tunnel.forbidden(), [])
        #expect(tunnel.phase == .forbidden)
        // Race: the answer arrives after it was forbidden.
        expect(tunnel.resolved([first], at: at(3), using: &random), [])
    }

    @Test("another uplink: a running session moves within OpenVPN")
    func moves() {
        var random = SeededGenerator(seed: 1)
        var tunnel = connected(&random)
        expect(tunnel.uplinkChanged(at: at(5)), [.restartSession, .wakeUp(at: at(25))])
        // Race: what OpenVPN said before it took the signal.
        expect(tunnel.stateReported(SessionReport(.connected), at: at(5)), [])
        #expect(tunnel.phase == .connecting)
        expect(tunnel.stateReported(SessionReport(.reconnecting), at: at(5)), [])
        expect(tunnel.holdReported(at: at(5)), [.releaseHold])
        expect(tunnel.stateReported(SessionReport(.connected, address: inside), at: at(6)), [])
        #expect(tunnel.phase == .connected)
    }

    @Test("another uplink while waiting: tried at once, with a short back-off again")
    func uplinkEndsBackOff() {
        var random = SeededGenerator(seed: 1)
        var tunnel = TunnelSupervisor()
        _ = tunnel.allowed(at: at(0))
        _ = tunnel.resolveFailed(at: at(0), using: &random)
        #expect(tunnel.phase == .backingOff)
        expect(tunnel.uplinkChanged(at: at(0.2)), [.resolve, .wakeUp(at: at(15.2))])
        // A lookup over the old uplink may hang: asked again over the new one.
        expect(tunnel.uplinkChanged(at: at(0.4)), [.resolve, .wakeUp(at: at(15.4))])
    }

    @Test("a session that breaks is begun anew once; when that fails, looked up again later")
    func breaks() {
        var random = SeededGenerator(seed: 1)
        var tunnel = connected(&random)
        expect(
            tunnel.stateReported(SessionReport(.reconnecting, detail: "ping-restart"), at: at(40)),
            [.wakeUp(at: at(60))])
        expect(tunnel.holdReported(at: at(40)), [.releaseHold])
        expect(
            tunnel.stateReported(SessionReport(.reconnecting, detail: "server_poll"), at: at(50)),
            [.stopChild])
        expect(tunnel.holdReported(at: at(50)), [])
        let effects = tunnel.childExited(at: at(50), using: &random)
        guard case .wakeUp(let time)? = effects.first else {
            Issue.record("no wake-up in \(effects)")
            return
        }
        #expect(time - at(50) >= .milliseconds(500) && time - at(50) <= .seconds(1))
        expect(tunnel.timer(at: time - .milliseconds(1), using: &random), [.wakeUp(at: time)])
        expect(
            tunnel.timer(at: time, using: &random), [.resolve, .wakeUp(at: time + .seconds(15))])
    }

    @Test("whoever does not get ready in time is ended", arguments: [false, true])
    func late(released: Bool) {
        var random = SeededGenerator(seed: 1)
        var tunnel = TunnelSupervisor()
        _ = tunnel.allowed(at: at(0))
        _ = tunnel.resolved([first], at: at(0), using: &random)
        if released { _ = tunnel.holdReported(at: at(0)) }
        expect(tunnel.timer(at: at(20), using: &random), [.stopChild])
    }

    @Test("each failure doubles the wait, up to a minute; the addresses take turns")
    func backOff() {
        var random = SeededGenerator(seed: 3)
        var tunnel = TunnelSupervisor()
        var now = at(0)
        _ = tunnel.allowed(at: now)
        var servers: [IPv4Address] = []
        for attempt in 0..<12 {
            _ = tunnel.resolved([first, second], at: now, using: &random)
            servers.append(tunnel.server ?? inside)
            let effects = tunnel.childExited(at: now, using: &random)
            guard case .wakeUp(let time)? = effects.first, effects.count == 1 else {
                Issue.record("no wake-up in \(effects)")
                return
            }
            let longest = Duration.seconds(min(60, 1 << attempt))
            #expect(time - now >= longest / 2 && time - now <= longest)
            now = time
            expect(
                tunnel.timer(at: now, using: &random),
                [.resolve, .wakeUp(at: now + .seconds(15))])
        }
        #expect(servers == (0..<12).map { $0 % 2 == 0 ? first : second })
    }

    @Test("a lookup that never ends is given up, and its late answer is still taken")
    func lateAnswer() {
        var random = SeededGenerator(seed: 1)
        var tunnel = TunnelSupervisor()
        _ = tunnel.allowed(at: at(0))
        _ = tunnel.timer(at: at(15), using: &random)
        #expect(tunnel.phase == .backingOff)
        expect(
            tunnel.resolved([first], at: at(15.1), using: &random),
            [.wakeUp(at: at(20.1)), .startChild(first)])
    }
}
