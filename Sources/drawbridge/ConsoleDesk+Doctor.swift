import Base
import Console
import Settings

/// What the doctor needs to know of the house.
extension ConsoleDesk {
    func plan(_ status: StatusDocument) async -> DoctorPlan {
        let settings = house.settings
        // Nothing is sent over uplinks that the key has cut, not even past the packet filter.
        let uplinks = house.ways.isCut ? [] : status.uplinks.map(Self.uplink)
        var plan = DoctorPlan(
            device: settings.device.name, uplinks: uplinks, nameServers: settings.dns.servers,
            brokerHost: settings.cloud.broker.host, brokerPort: settings.cloud.broker.port.port,
            authority: settings.cloud.identity.authority,
            recorderDirectory: settings.recorder.directory)
        plan.carrying = uplinks.first { uplink in
            status.uplinks.contains { $0.name == uplink.name && $0.isCarrying }
        }
        plan.lanInterface = settings.lan.interface.description
        plan.servers = await servers(settings, status)
        if let listen = settings.push.listen {
            plan.push = DoctorPush(
                listen: "\(listen.address):\(listen.port)",
                clients: settings.push.clients.map(\.name),
                trouble: await watch.trouble(of: "push"))
        }
        return plan
    }

    private static func uplink(_ uplink: StatusDocument.Uplink) -> DoctorPlan.Uplink {
        DoctorPlan.Uplink(
            name: uplink.name, interface: uplink.interface,
            address: uplink.address.flatMap { IPv4Address($0) },
            gateway: uplink.gateway.flatMap { IPv4Address($0) })
    }

    private func servers(_ settings: Settings, _ status: StatusDocument) async -> [DoctorServer] {
        var servers: [DoctorServer] = []
        if let syslog = settings.syslog {
            servers.append(
                DoctorServer(
                    part: "syslog", key: "[syslog] server, ca, certificate and key",
                    host: .name(syslog.server.host), port: syslog.server.port.port,
                    authority: syslog.authority, trouble: await watch.trouble(of: "syslog")))
        }
        if let bulk = settings.bulk {
            servers.append(
                DoctorServer(
                    part: "blocks", key: "[bulk] url and [cloud] certificate and key",
                    host: .name(bulk.folder.endpoint.host), port: bulk.folder.endpoint.port.port,
                    authority: settings.cloud.identity.authority,
                    trouble: await watch.trouble(of: "bulk delivery")))
        }
        for broker in settings.subscriptions {
            let seen = status.machines.first { $0.name == broker.name }
            let isConnected = seen?.isConnected ?? false
            servers.append(
                DoctorServer(
                    part: "broker \(broker.name)",
                    key: "[[subscribe]] broker, user and password-file of \(broker.name)",
                    host: .address(broker.address), port: broker.port, authority: nil,
                    trouble: isConnected ? nil : seen?.reason ?? "not begun yet"))
        }
        return servers
    }
}
