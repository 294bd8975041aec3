import Base
import Linux
import Logging
import Settings

/// What the tunnel tells: its status, each change of its phase, and why.
extension TunnelService {
    package func status() -> TunnelStatus {
        TunnelStatus(
            state: phase, address: supervisor.address, server: supervisor.server, reason: reason,
            since: since, restarts: max(0, attempts - 1), processID: child?.process.processID,
            certificate: credentials.current.map {
                TunnelStatus.Certificate(
                    serial: $0.credential.certificate.serial,
                    endsAt: $0.issuedAt + $0.credential.life.rest)
            },
            traffic: phase == .connected ? device.traffic()?.since(trafficBefore) : nil)
    }

    private var reason: String {
        switch phase {
        case _ where !supervisor.isAllowed: wish
        case .connected: "connected"
        case .enrolling: lastReason ?? "asking for this session's certificate"
        case .forbidden, .resolving, .starting, .connecting, .backingOff, .stopping:
            trouble.reason ?? lastReason ?? "connecting to \(settings.remote.host)"
        }
    }

    func notePhase() {
        let old = phase
        guard supervisor.phase != old else { return }
        phase = supervisor.phase
        since = clock.now()
        if (old == .connected) != (phase == .connected) || phase == .backingOff {
            report.yield(phase == .connected)
        }
        if phase == .connected, let server = supervisor.server {
            lastReason = nil
            trouble = TunnelTrouble()
            trafficBefore = device.traffic() ?? TunnelTraffic()
            logger.notice(
                "tunnel connected",
                metadata: [
                    "server": "\(server)",
                    "address": "\(supervisor.address.map { "\($0)" } ?? "none")",
                    "certificate": "\(status().certificate?.serial ?? "the router's own")",
                ])
        } else if old == .connected {
            logger.notice("tunnel disconnected", metadata: ["reason": "\(reason)"])
        } else {
            logger.debug(
                "tunnel", metadata: ["state": "\(phase.rawValue)", "reason": "\(reason)"])
        }
    }
}
