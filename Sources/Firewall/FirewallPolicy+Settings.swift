import Base
package import Settings

extension FirewallPolicy {
    /// The policy that the config file asks for.
    ///
    /// `agents`: the users that the daemon and OpenVPN run as. `needsGrant`: whether the gate's grant is there to
    /// be asked for; every kernel from 5.12 on has it.
    package init(
        _ settings: Settings, agents: [UInt32], needsGrant: Bool = true
    ) throws(FirewallError) {
        var uplinks: [Uplink] = []
        for uplink in settings.uplinks {
            let probes = uplink.keepAlive.probes
            var policy = Uplink(
                interface: try Self.interface(uplink.interface), usesDHCP: uplink.usesDHCP,
                probeTargets: probes.filter { $0.method == .ping }.map(\.address))
            policy.probeServices = probes.compactMap { target in
                target.port.map { Uplink.ProbeService(address: target.address, port: $0) }
            }
            policy.checkPort = uplink.keepAlive.captiveCheck.page?.endpoint.port.port
            uplinks.append(policy)
        }
        var vpn: Segment?
        if let configured = settings.vpn {
            vpn = Segment(
                interface: try Self.interface(configured.interface), network: configured.network)
        }
        // How a change comes into force is no part of what is in force.
        var openings = settings.firewall
        openings.trial = .zero
        openings.alarm = .init()
        self.init(
            uplinks: uplinks,
            lan: Segment(
                interface: try Self.interface(settings.lan.interface),
                network: settings.lan.network),
            vpn: vpn, nameServers: settings.dns.servers, timeServers: settings.ntp.servers,
            cloudPorts: settings.cloud.ports,
            machines: settings.machines.filter { $0.serial == nil }.map {
                Machine(address: $0.address, port: $0.port)
            }
                + settings.subscriptions.map { Machine(address: $0.address, port: $0.port) },
            openings: openings,
            page: settings.page.listen.map { Machine(address: $0.address, port: $0.port) })
        let uplinkInterfaces = Dictionary(
            zip(settings.uplinks.map(\.name), uplinks.map(\.interface)),
            uniquingKeysWith: { one, _ in one })
        translations = settings.firewall.translations.compactMap { translation in
            let interface =
                uplinkInterfaces[translation.side]
                ?? (translation.side == Settings.Firewall.Translation.vpn ? vpn?.interface : nil)
            return interface.map {
                Translation(
                    interface: $0, address: translation.address, machine: translation.machine)
            }
        }
        lanServices = settings.lan.services
        push = settings.push.listen.map { Machine(address: $0.address, port: $0.port) }
        self.agents = agents
        self.needsGrant = needsGrant
        proxy = settings.vpn?.proxy.map { Machine(address: $0.address, port: $0.port) }
        uplinksNeedKey = settings.keySwitch?.disables == .wan
    }

    private static func interface(_ text: String) throws(FirewallError) -> InterfaceName {
        guard let name = InterfaceName(text) else { throw .unusableInterface(text) }
        return name
    }
}
