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
    /// Nil: the key cuts the uplinks, and there is no VPN.
    let tunnel: TunnelService?
    /// Nil: there is none.
    let lamp: SessionLamp?
    /// Whether the key cuts the uplinks, too.
    private let cutsUplinks: Bool

    /// The gate, shut; nil when there is nothing that a key could open.
    ///
    /// Comes before the firewall's rules, which ask for its grant where the kernel gives one.
    static func gate(_ part: House.RemotePart, _ logger: Logger) throws -> GateLease? {
        guard part.keySwitch != nil, part.vpn != nil || !part.uplinks.isEmpty else { return nil }
        let gate = try GateLease(
            vpnInterface: part.vpn?.interface, lanInterface: part.lanInterface,
            uplinks: part.uplinks, withGrant: true)
        if let trouble = gate.grantTrouble {
            logger.warning(
                "if the daemon is killed, the gate stays open to the end of its lease",
                metadata: ["reason": "\(trouble)"])
        }
        return gate
    }

    /// Nil when there is nothing that a key could open.
    init?(
        _ part: House.RemotePart, gate: GateLease?,
        resolve: @escaping @Sendable (DomainName) async throws -> [IPv4Address],
        _ logs: @Sendable (String) -> Logger
    ) throws {
        guard let keySwitch = part.keySwitch, let gate else { return nil }
        self.gate = gate
        self.keySwitch = KillSwitchService(
            settings: keySwitch, gate: gate, logger: logs("switch"))
        lamp = SessionLampService(settings: keySwitch, logger: logs("lamp")).map(SessionLamp.init)
        cutsUplinks = !part.uplinks.isEmpty
        let logger = logs("tunnel")
        tunnel = part.vpn.map {
            TunnelService(
                settings: $0, runDirectory: part.runDirectory, resolve: resolve, logger: logger)
        }
    }

    /// Runs until it is cancelled; the gate is shut when it returns.
    func run(cutting ways: WaysOut, telling news: Bell) async throws {
        // Until the key has been read, the gate is shut.
        if cutsUplinks { ways.cut() } else { ways.open() }
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await keySwitch.run() }
            if let lamp { group.addTask { await lamp.service.run() } }
            if let tunnel {
                group.addTask { try await tunnel.run() }
                group.addTask {
                    for await isConnected in tunnel.sessions {
                        lamp?.sessionMoved(isConnected: isConnected)
                        news.ring()
                    }
                }
            }
            group.addTask { await obeySwitch(ways, telling: news) }
        }
    }

    /// Carries the switch's word to the others; the gate has obeyed before.
    private func obeySwitch(_ ways: WaysOut, telling news: Bell) async {
        for await event in keySwitch.events {
            lamp?.gateMoved(isOpen: event == .allowed)
            news.ring()
            switch event {
            case .allowed:
                ways.open()
                await tunnel?.allow()
            case .online(let reason):
                ways.open()
                await tunnel?.forbid(reason: reason)
            case .closed:
                if cutsUplinks { ways.cut() }
                await tunnel?.forbid()
            }
        }
    }
}
