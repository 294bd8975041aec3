import Base
import TestSupport
import Testing
import Tunnel

@Suite("enrolment: the answers")
struct EnrolmentReplyTests {
    private func failure(_ reply: EnrolmentReply) throws -> EnrolmentFailure {
        guard case .failed(let failure) = reply.verdict else {
            throw EnrolmentFailure("no failure: \(reply.verdict)")
        }
        return failure
    }

    @Test("a certificate, in lines of Base64")
    func issued() {
        let type = "application/pkcs7-mime; smime-type=certs-only"
        let reply = EnrolmentReply(
            status: 200, contentType: type, body: Array("AQID\r\nBA==\n".utf8))
        #expect(reply.verdict == .issued([1, 2, 3, 4]))
        var odd = reply
        odd.contentType = "Application/PKCS7-Mime"
        #expect(odd.verdict == .issued([1, 2, 3, 4]))
    }

    @Test("whatever else comes with 200 is no certificate")
    func garbage() throws {
        for (type, body) in [
            ("text/html", "AQIDBA=="), ("", "AQIDBA=="), ("application/pkcs7-mime", ""),
            ("application/pkcs7-mime", "AQIDBA="), ("application/pkcs7-mime", "<html>"),
        ] {
            _ = try failure(EnrolmentReply(status: 200, contentType: type, body: Array(body.utf8)))
        }
        let endless = [UInt8](repeating: 65, count: EnrolmentReply.bodyBytesMax + 4)
        _ = try failure(
            EnrolmentReply(status: 200, contentType: "application/pkcs7-mime", body: endless))
    }

    @Test("each status has its words, and none is taken for a certificate")
    func statuses() throws {
        for (status, words) in [
            (401, "refuses this router (401)"), (403, "refuses this router (403)"),
            (404, "vpn.enrol"), (302, "elsewhere (302)"), (500, "a fault (500)"),
            (503, "busy (503)"), (429, "busy (429)"), (400, "does not take our request (400)"),
            (204, "(204)"), (0, "(0)"), (-1, "(-1)"), (999, "(999)"),
        ] {
            let failure = try failure(EnrolmentReply(status: status))
            #expect(failure.reason.contains(words), "\(failure.reason)")
            #expect(!failure.isPending && failure.retryAfter == nil)
        }
    }

    @Test("asked to wait: as long as the server says, within 1 s to 10 min; the same request again")
    func later() throws {
        for (said, wait) in [(nil, 30), (0, 1), (7, 7), (86400, 600)] as [(Int?, Int)] {
            let failure = try failure(
                EnrolmentReply(status: 202, retryAfter: said.map { .seconds($0) }))
            #expect(failure.isPending && failure.retryAfter == .seconds(wait))
        }
        let busy = try failure(EnrolmentReply(status: 503, retryAfter: .seconds(9)))
        #expect(!busy.isPending && busy.retryAfter == .seconds(9))
    }

    @Test("a certificate that is not valid now, by our clock")
    func life() throws {
        func life(_ now: Int64) -> Result<CertificateLife, EnrolmentFailure> {
            Result { () throws(EnrolmentFailure) in
                try CertificateLife(
                    notBefore: WallTime(milliseconds: 1_000_000),
                    notAfter: WallTime(milliseconds: 4_000_000), now: WallTime(milliseconds: now))
            }
        }
        #expect(try life(1_000_000).get().rest == .seconds(3000))
        #expect(try life(3_990_000).get().rest == .seconds(10))
        for (now, words) in [
            (0, "not valid yet (is our clock right?)"), (999_999, "not valid yet"),
            (3_990_001, "ends too soon"), (4_000_001, "has ended already (is our clock right?)"),
            (2_000_000_000_000, "has ended already"),
        ] as [(Int64, String)] {
            guard case .failure(let failure) = life(now) else {
                Issue.record("\(now) is taken")
                continue
            }
            #expect(failure.reason.contains(words), "\(now): \(failure.reason)")
        }
    }
}

@Suite("enrolment: when")
struct EnrolmentDialogueTests {
    private typealias Effect = TunnelSupervisor.Effect
    private let server = IPv4Address(value: 0xcb00_710a)

    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    private func expect(
        _ effects: [Effect], _ expected: [Effect], _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(effects == expected, sourceLocation: location)
    }

    /// A machine whose OpenVPN waits for a credential since 0 s.
    private func enrolling(_ random: inout SeededGenerator) -> TunnelSupervisor {
        var tunnel = TunnelSupervisor(enrols: true)
        _ = tunnel.allowed(at: at(0))
        _ = tunnel.resolved([server], at: at(0), using: &random)
        expect(tunnel.holdReported(at: at(0)), [.enrol, .wakeUp(at: at(20))])
        #expect(tunnel.phase == .enrolling)
        return tunnel
    }

    /// Connected at 1 s with a credential that lives for 1000 s; its renewal is due at the time returned.
    private func connected(_ random: inout SeededGenerator) throws -> (TunnelSupervisor, Instant) {
        var tunnel = enrolling(&random)
        expect(
            tunnel.enrolled(for: .seconds(1000), at: at(1), using: &random),
            [.releaseHold, .wakeUp(at: at(21))])
        let effects = tunnel.stateReported(SessionReport(.connected), at: at(1))
        guard case .wakeUp(let time)? = effects.first, effects.count == 1 else {
            throw EnrolmentFailure("no wake-up in \(effects)")
        }
        #expect(time - at(1) >= .seconds(700) && time - at(1) <= .seconds(850))
        return (tunnel, time)
    }

    @Test("OpenVPN is released only with a credential, and each restart needs another one")
    func eachSession() throws {
        var random = SeededGenerator(seed: 1)
        var (tunnel, _) = try connected(&random)
        expect(tunnel.uplinkChanged(at: at(5)), [.restartSession, .wakeUp(at: at(25))])
        expect(tunnel.stateReported(SessionReport(.reconnecting), at: at(5)), [])
        expect(tunnel.holdReported(at: at(5)), [.enrol, .wakeUp(at: at(25))])
        // Moved again meanwhile: the request over the old uplink is forgotten.
        expect(tunnel.uplinkChanged(at: at(6)), [.enrol, .wakeUp(at: at(26))])
        expect(
            tunnel.enrolled(for: .seconds(1000), at: at(7), using: &random),
            [.releaseHold, .wakeUp(at: at(27))])
    }

    @Test(
        "refused or late: OpenVPN is ended unreleased, and the server left alone as long as it says"
    )
    func refused() {
        var random = SeededGenerator(seed: 1)
        var tunnel = enrolling(&random)
        expect(
            tunnel.enrolFailed(retryAfter: .seconds(300), at: at(1), using: &random), [.stopChild])
        let effects = tunnel.childExited(at: at(1), using: &random)
        expect(effects, [.wakeUp(at: at(301))])
        // Race: the answer to a request that was given up.
        expect(tunnel.enrolled(for: .seconds(9), at: at(2), using: &random), [])
        #expect(tunnel.phase == .backingOff)

        var late = enrolling(&random)
        expect(late.timer(at: at(20), using: &random), [.stopChild])
    }

    @Test("renewal: first the new credential, then the new session")
    func renewed() throws {
        var random = SeededGenerator(seed: 1)
        var (tunnel, due) = try connected(&random)
        expect(tunnel.timer(at: due - .seconds(1), using: &random), [.wakeUp(at: due)])
        expect(tunnel.timer(at: due, using: &random), [.enrol, .wakeUp(at: due + .seconds(20))])
        #expect(tunnel.phase == .connected)
        expect(
            tunnel.enrolled(for: .seconds(1000), at: due, using: &random),
            [.restartSession, .wakeUp(at: due + .seconds(20))])
        expect(tunnel.stateReported(SessionReport(.reconnecting), at: due), [])
        // It is at hand.
        expect(tunnel.holdReported(at: due), [.releaseHold])
        _ = tunnel.stateReported(SessionReport(.connected), at: due)
        #expect(tunnel.phase == .connected)
    }

    @Test("a renewal that fails costs no session: it is tried again")
    func renewalFails() throws {
        var random = SeededGenerator(seed: 1)
        var (tunnel, due) = try connected(&random)
        _ = tunnel.timer(at: due, using: &random)
        let effects = tunnel.enrolFailed(retryAfter: nil, at: due, using: &random)
        guard case .wakeUp(let again)? = effects.first, effects.count == 1 else {
            Issue.record("no wake-up in \(effects)")
            return
        }
        #expect(again - due >= .seconds(30) && again - due <= .seconds(60))
        #expect(tunnel.phase == .connected)
        expect(
            tunnel.timer(at: again, using: &random), [.enrol, .wakeUp(at: again + .seconds(20))])
    }

    @Test(
        "forbidden while a credential is asked for: ended at once, and what comes later is nothing")
    func forbidden() {
        var random = SeededGenerator(seed: 1)
        var tunnel = enrolling(&random)
        expect(tunnel.forbidden(), [.stopChild])
        expect(tunnel.enrolled(for: .seconds(9), at: at(1), using: &random), [])
        expect(tunnel.childExited(at: at(1), using: &random), [])
        #expect(tunnel.phase == .forbidden)
    }
}
