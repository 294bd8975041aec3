import Base
import Glibc
import Linux
import Logging

/// The life of one OpenVPN: what it reports, and what follows from that.
extension TunnelService {
    nonisolated func attend(_ child: OpenVPNChild, _ socket: ManagementSocket) async {
        let exit = await child.attend(socket) { await self.heard($0) }
        await ended(exit)
    }

    private func heard(_ report: OpenVPNChild.Report) {
        switch report {
        case .attached(let connection):
            self.connection = connection
            // From version 3 on it says which signature it wants.
            if enrolment != nil { tell("version 3") }
            tell("state on")
        case .message(let message):
            received(message)
        case .line(let line):
            logger.debug("openvpn", metadata: ["log": "\(line)"])
            trouble.consider(line)
        case .lost(let error):
            logger.warning("management connection lost", metadata: ["error": "\(error)"])
            child?.process.send(signal: SIGTERM)
        }
    }

    private func received(_ message: ManagementMessage) {
        let now = clock.now()
        switch message {
        case .hold:
            carryOut(supervisor.holdReported(at: now))
        case .state(let report):
            logger.debug("openvpn", metadata: ["state": "\(report.state.rawValue)"])
            if report.state == .reconnecting {
                lastReason = trouble.reason ?? report.words
            }
            if report.state == .connected, let address = report.address { setUp(address) }
            carryOut(supervisor.stateReported(report, at: now))
        case .needCertificate:
            if let session = credentials.current {
                tell("certificate", session.credential.certificate.pem)
            }
        case .sign(let digest, let algorithm):
            sign(digest, algorithm)
        case .fatal(let text), .password(let text), .refused(let text):
            trouble.consider("ERROR: \(text)")
        case .other:
            break
        }
    }

    private func ended(_ exit: ChildProcess.Exit) {
        // When we ended it, why it ended is known, and how does not matter.
        let fallback = phase == .stopping ? lastReason : "OpenVPN ended: \(exit)"
        lastReason = trouble.reason ?? fallback
        connection = nil
        child = nil
        credentials.childEnded()
        killAt = nil
        logger.debug("openvpn ended", metadata: ["exit": "\(exit)"])
        do throws(SystemError) {
            try device.remove()
        } catch {
            logger.warning("tunnel device", metadata: ["error": "\(error)"])
        }
        carryOut(supervisor.childExited(at: clock.now(), using: &random))
    }
}
