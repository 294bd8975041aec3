import Base
import Firewall
import KillSwitch
import Linux
import Logging
import Settings
import Tunnel

/// The key switch with the gate that it holds, and the tunnel behind the gate.
struct RemoteAccess: Sendable {
    let keySwitch: KillSwitchService
    let gate: GateLease
    let tunnel: TunnelService

    /// The gate, shut; nil when the config file allows no remote access.
    ///
    /// Comes before the firewall's rules, which ask for its grant where the kernel gives one.
    static func gate(_ part: House.RemotePart, _ logger: Logger) throws -> GateLease? {
        guard let vpn = part.vpn else { return nil }
        let gate = try GateLease(
            vpnInterface: vpn.interface, lanInterface: part.lanInterface, withGrant: true)
        if let trouble = gate.grantTrouble {
            logger.warning(
                "if the daemon is killed, the gate stays open to the end of its lease",
                metadata: ["reason": "\(trouble)"])
        }
        return gate
    }

    /// Nil when the config file allows no remote access.
    init?(
        _ part: House.RemotePart, gate: GateLease?,
        resolve: @escaping @Sendable (DomainName) async throws -> [IPv4Address],
        _ logs: @Sendable (String) -> Logger
    ) throws {
        guard let vpn = part.vpn, let keySwitch = part.keySwitch, let gate else {
            return nil
        }
        self.gate = gate
        self.keySwitch = KillSwitchService(
            settings: keySwitch, gate: gate, logger: logs("switch"))
        tunnel = TunnelService(
            settings: vpn, runDirectory: part.runDirectory, resolve: resolve,
            logger: logs("tunnel"))
    }

    /// Runs until it is cancelled; the gate is shut when it returns.
    func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await keySwitch.run() }
            group.addTask { try await tunnel.run() }
            group.addTask { await obeySwitch() }
        }
    }

    /// Carries the switch's word to the tunnel; the gate has obeyed before.
    private func obeySwitch() async {
        for await event in keySwitch.events {
            switch event {
            case .allowed: await tunnel.allow()
            case .closed: await tunnel.forbid()
            }
        }
    }
}
