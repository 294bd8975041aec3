import Base
import Glibc
import Linux
import Logging

/// What OpenVPN may not do or have itself: the session's key and certificate, its signatures, its interface.
extension TunnelService {
    /// Has a new key certified for the next session.
    func enrol() async {
        defer { enrolments -= 1 }
        guard let enrolment else { return }
        do throws(EnrolmentFailure) {
            let (key, ticket) = try credentials.begin()
            let result = await enrolment.enrol(key)
            // Another request has taken its place, or the key was turned off.
            guard credentials.isAwaited(ticket) else { return }
            let credential = try credentials.take(result, of: key, at: clock.now())
            logger.info(
                "session certificate issued",
                metadata: [
                    "serial": "\(credential.certificate.serial)",
                    "seconds": "\(Int(credential.life.rest.inSeconds))",
                ])
            carryOut(
                supervisor.enrolled(for: credential.life.rest, at: clock.now(), using: &random))
        } catch {
            logger.notice("no session certificate", metadata: ["reason": "\(error.reason)"])
            if phase != .connected { lastReason = error.reason }
            carryOut(
                supervisor.enrolFailed(
                    retryAfter: error.retryAfter, at: clock.now(), using: &random))
        }
    }

    func setUp(_ address: IPv4Address) {
        do throws(SystemError) {
            try device.setUp(address)
        } catch {
            trouble.consider("ERROR: \(error)")
            child?.process.send(signal: SIGTERM)
        }
    }

    /// Signs for OpenVPN, which has the certificate but not its key.
    func sign(_ digest: [UInt8], _ algorithm: String) {
        do throws(TLSProblem) {
            guard let session = credentials.current, ["ECDSA", "EC"].contains(algorithm) else {
                throw TLSProblem(part: .key, why: "no key of ours is for \(algorithm)")
            }
            tell("pk-sig", Base64.encode(try session.credential.key.sign(digest: digest)))
        } catch {
            trouble.consider("ERROR: cannot sign for OpenVPN: \(error.why)")
            child?.process.send(signal: SIGTERM)
        }
    }
}
