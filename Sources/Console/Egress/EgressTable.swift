package import Base
package import Settings

/// What the router, and the machines behind it, may reach over the uplinks: the table that a plant's IT department
/// asks for, as a pure function of the settings and of what is open at the moment.
package struct EgressTable: Codable, Equatable, Sendable {
    /// The version of this form; fields are added within one.
    package var version = 1
    package var device: String
    /// Where the addresses are from: the running daemon, or the config file alone.
    package var source: Source
    package var rows: [Row]
    /// What the config file lets begin on the WAN, in words; empty: nothing.
    package var incoming: [String]

    package enum Source: String, Codable, Sendable {
        case daemon, config
    }

    /// One destination.
    package struct Row: Codable, Equatable, Sendable {
        package enum Sender: String, Codable, Sendable {
            case router, machines
        }
        package var from: Sender
        /// A name, a pattern of names, an address, a network, or words.
        package var to: String
        /// Those that are open now; empty: none is, or it cannot be told.
        package var addresses: [Address]
        /// As in `tcp/443`, `icmp`.
        package var ports: [String]
        package var why: String
    }

    package struct Address: Codable, Equatable, Sendable {
        package var address: String
        /// How long it stays open; absent: for as long as the config says so.
        package var openSeconds: Int?

        package init(address: String, openSeconds: Int? = nil) {
            self.address = address
            self.openSeconds = openSeconds
        }
    }

    /// What the daemon has open at this moment.
    package struct Opening: Sendable {
        package var address: IPv4Address
        package var openSeconds: Int
        /// The names that were resolved to it lately; empty: they are not remembered any more.
        package var names: [DomainName]

        package init(address: IPv4Address, openSeconds: Int, names: [DomainName]) {
            self.address = address
            self.openSeconds = openSeconds
            self.names = names
        }
    }

    /// `open`: nil when no daemon could be asked.
    package init(_ settings: Settings, open: [Opening]?) {
        device = settings.device.name
        source = open == nil ? .config : .daemon
        rows =
            Self.cloud(settings, open ?? []) + Self.proxy(settings) + Self.servers(settings)
            + Self.probes(settings) + Self.loginChecks(settings)
            + Self.dhcp(settings) + Self.machines(settings.firewall)
        incoming =
            settings.firewall.allowed.filter { $0.from == .wan }.map { "\($0): \($0.comment)" }
            + settings.firewall.forwards.map { "\($0): \($0.comment)" }
    }

    // MARK: the router's own

    /// The names that are asked for by name come first, then what else is open, then the list itself.
    private static func cloud(_ settings: Settings, _ open: [Opening]) -> [Row] {
        let broker = settings.cloud.broker
        var known: [(name: DomainName, ports: [TransportPort], why: String)] = [
            (broker.host, [broker.port], "machine data to the cloud, MQTT over TLS")
        ]
        if let vpn = settings.vpn {
            let why = "remote access, OpenVPN, only while the key is on"
            known.append((vpn.remote.host, [vpn.remote.port], why))
        }
        for opening in open {
            for name in opening.names where !known.contains(where: { $0.name == name }) {
                known.append((name, settings.cloud.ports, "asked for by a program on the router"))
            }
        }
        var rows: [Row] = []
        for (name, ports, why) in known {
            let addresses = open.filter { $0.names.contains(name) }
            // The broker and the VPN server may be the same name.
            if let same = rows.firstIndex(where: { $0.to == name.description }) {
                rows[same].ports += ports.map(\.description)
                rows[same].why += "; " + why
                continue
            }
            rows.append(
                Row(
                    from: .router, to: name.description, addresses: addresses.map(\.shown),
                    ports: ports.map(\.description), why: why))
        }
        let ports = settings.cloud.ports.map(\.description)
        let left = open.filter(\.names.isEmpty)
        if !left.isEmpty {
            rows.append(
                Row(
                    from: .router, to: "addresses of earlier answers", addresses: left.map(\.shown),
                    ports: ports, why: "connections to them may still be beginning"))
        }
        return rows
            + settings.cloud.domains.map {
                Row(
                    from: .router, to: $0.description, addresses: [], ports: ports,
                    why: "the supplier's cloud: opened when a program on the router resolves it")
            }
    }

    private static func proxy(_ settings: Settings) -> [Row] {
        settings.vpn?.proxy.map {
            [fixed($0.address, ["tcp/\($0.port)"], "the company's proxy, for remote access")]
        } ?? []
    }

    private static func servers(_ settings: Settings) -> [Row] {
        let names = settings.dns.servers.map {
            fixed($0, ["udp/53", "tcp/53"], "name server; it is asked for listed names only")
        }
        return names + settings.ntp.servers.map { fixed($0, ["udp/123"], "time server") }
    }

    private static func probes(_ settings: Settings) -> [Row] {
        var targets: [(target: Settings.ProbeTarget, uplinks: [String])] = []
        for uplink in settings.uplinks {
            for target in uplink.keepAlive.probes {
                if let known = targets.firstIndex(where: { $0.target == target }) {
                    targets[known].uplinks.append(uplink.name)
                } else {
                    targets.append((target, [uplink.name]))
                }
            }
        }
        return targets.map {
            let uplinks = $0.uplinks.joined(separator: ", ")
            return fixed(
                $0.target.address, [$0.target.service],
                "\($0.target.verb), to see whether the uplink carries: \(uplinks)")
        }
    }

    private static func loginChecks(_ settings: Settings) -> [Row] {
        var rows: [Row] = []
        for uplink in settings.uplinks {
            guard let page = uplink.keepAlive.captiveCheck.page else { continue }
            let row = Row(
                from: .router, to: page.endpoint.host.description, addresses: [],
                ports: [page.endpoint.port.description],
                why: "\(page.url), to see whether an uplink wants a login")
            if !rows.contains(row) { rows.append(row) }
        }
        return rows
    }

    private static func dhcp(_ settings: Settings) -> [Row] {
        settings.uplinks.filter(\.usesDHCP).map {
            Row(
                from: .router, to: "DHCP server on \($0.interface)", addresses: [],
                ports: ["udp/67"], why: "the router's own address on uplink \($0.name)")
        }
    }

    private static func fixed(_ address: IPv4Address, _ ports: [String], _ why: String) -> Row {
        Row(
            from: .router, to: address.description,
            addresses: [Address(address: address.description)], ports: ports, why: why)
    }

    // MARK: the machines'

    private static func machines(_ firewall: Settings.Firewall) -> [Row] {
        var rows: [Row] = []
        if firewall.lanToWAN != .neither {
            rows.append(
                Row(
                    from: .machines, to: firewall.lanToWAN.words, addresses: [], ports: ["any"],
                    why: "lan-to-wan = \"\(firewall.lanToWAN.rawValue)\""))
        }
        return rows
            + firewall.allowed.filter { $0.from == .lan && $0.to == .wan }.map {
                let sender = $0.source.map { " (from \($0))" } ?? ""
                return Row(
                    from: .machines, to: $0.destination?.description ?? "any address",
                    addresses: [], ports: [$0.service.description], why: $0.comment + sender)
            }
    }
}

extension EgressTable.Opening {
    fileprivate var shown: EgressTable.Address {
        EgressTable.Address(address: address.description, openSeconds: openSeconds)
    }
}

extension Settings.ProbeTarget {
    /// What is done to it.
    fileprivate var verb: String {
        switch method {
        case .ping: "ping"
        case .connect: "connection"
        case .dns: "question"
        }
    }
}
