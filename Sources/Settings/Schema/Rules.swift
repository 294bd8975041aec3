import Base

/// What must hold between keys. Each rule speaks only where the values it needs are right themselves.
struct Rules {
    let settings: Settings
    let keepAlive: Settings.KeepAlive
    var report: Report

    mutating func check() {
        checkNames()
        checkNetworks()
        checkKeepAlive()
        checkFailover()
        checkMachines()
        checkAllowList()
        checkProxy()
        checkKeySwitch()
        checkFirewall()
        checkPage()
        checkSources()
    }

    // MARK: - Names

    private mutating func checkNames() {
        let uplinks = settings.uplinks.enumerated()
        unique(uplinks.map { ("uplink[\($0)].name", $1.name) })
        var interfaces = uplinks.map { ("uplink[\($0)].interface", $1.interface) }
        interfaces.append(("lan.interface", settings.lan.interface))
        if let vpn = settings.vpn { interfaces.append(("vpn.interface", vpn.interface)) }
        unique(interfaces)
        for (index, machine) in settings.machines.enumerated() {
            let key = "machine[\(index)].name"
            if settings.health.isEnabled, machine.name == Settings.Health.source,
                report.isSound(key)
            {
                complain(key, "\"\(machine.name)\" is the source of [health]; name it otherwise")
            }
            unique(machine.tags.enumerated().map { ("machine[\(index)].tag[\($0)].name", $1.name) })
        }
    }

    mutating func unique(_ names: [(key: String, name: String)]) {
        var known: [String: String] = [:]
        for (key, name) in names where report.isSound(key) {
            if let first = known[name] {
                complain(key, "\(TOMLValue.quoted(name)) is taken by \(reference(to: first))")
            } else {
                known[name] = key
            }
        }
    }

    // MARK: - Networks

    private mutating func checkNetworks() {
        var networks = ownNetworks
        for (index, uplink) in settings.uplinks.enumerated() {
            guard let network = uplink.network else { continue }
            networks.append(("uplink[\(index)].network", network))
        }
        networks = networks.filter { report.isSound($0.key) }
        for (index, one) in networks.enumerated() {
            for other in networks[(index + 1)...] where one.network.overlaps(other.network) {
                complain(
                    other.key,
                    "\(other.network) overlaps \(one.network) of \(reference(to: one.key))")
            }
        }
        for (index, uplink) in settings.uplinks.enumerated() {
            let key = "uplink[\(index)].gateway"
            guard let gateway = uplink.gateway, report.isSound(key) else { continue }
            if let network = uplink.network {
                guard report.isSound("uplink[\(index)].network"), !network.contains(gateway) else {
                    continue
                }
                let other = reference(to: "uplink[\(index)].network")
                complain(key, "\(gateway) is outside \(network) of \(other)")
            } else if let inside = ownNetwork(of: gateway) {
                complain(
                    key, "\(gateway) is in \(inside); write an address of the uplink's own network")
            }
        }
    }

    /// The networks behind the router, which no uplink leads to.
    private var ownNetworks: [(key: String, network: CIDR)] {
        var networks: [(key: String, network: CIDR)] = [("lan.network", settings.lan.network)]
        if let vpn = settings.vpn { networks.append(("vpn.network", vpn.network)) }
        return networks.filter { report.isSound($0.key) }
    }

    /// In words, with its place, the network behind the router that an address is in; nil: none.
    private func ownNetwork(of address: IPv4Address) -> String? {
        ownNetworks.first { $0.network.contains(address) }.map {
            "\($0.network) of \(reference(to: $0.key))"
        }
    }

    private mutating func checkKeepAlive() {
        check("keepalive", keepAlive)
        checkTargets("keepalive", keepAlive)
        for (index, uplink) in settings.uplinks.enumerated() {
            let key = "uplink[\(index)]"
            if report.isSet("\(key).targets") { checkTargets(key, uplink.keepAlive) }
            guard report.isSet("\(key).timeout") || report.isSet("\(key).interval") else {
                continue
            }
            check(key, uplink.keepAlive)
        }
    }

    private mutating func checkTargets(_ key: String, _ keepAlive: Settings.KeepAlive) {
        let key = "\(key).targets"
        guard report.isSound(key) else { return }
        for (index, one) in keepAlive.probes.enumerated() {
            guard let other = keepAlive.probes[..<index].first(where: { $0.address == one.address })
            else { continue }
            complain(
                key, "\(one) asks the same host as \(other); one way to ask each host is enough")
        }
        for (index, one) in keepAlive.probes.enumerated() {
            guard let inside = ownNetwork(of: one.address) else { continue }
            complain(
                "\(key)[\(index)]",
                "\(one) is in \(inside); write a host beyond the uplink, such as 1.1.1.1")
        }
    }

    private mutating func checkFailover() {
        let failover = settings.failover
        guard report.isSound("failover.hold", "failover.hold-max"),
            failover.holdMax < failover.hold
        else { return }
        let key = report.isSet("failover.hold-max") ? "failover.hold-max" : "failover.hold"
        complain(
            key,
            "a hold-max of \(DurationText.format(failover.holdMax)) is shorter than the hold of "
                + "\(DurationText.format(failover.hold)); make it as long at least")
    }

    private mutating func check(_ key: String, _ keepAlive: Settings.KeepAlive) {
        guard report.isSound("\(key).timeout", "\(key).interval", "keepalive"),
            report.isSound("keepalive.timeout", "keepalive.interval"),
            keepAlive.timeout > keepAlive.interval
        else { return }
        let timeout = DurationText.format(keepAlive.timeout)
        let interval = DurationText.format(keepAlive.interval)
        let set = report.isSet("\(key).timeout") ? "\(key).timeout" : "\(key).interval"
        complain(
            set,
            "a timeout of \(timeout) is longer than the interval of \(interval); "
                + "an answer must be due before the next probe")
    }

    // MARK: - Machines

    private mutating func checkMachines() {
        for (index, machine) in settings.machines.enumerated() {
            let key = "machine[\(index)]"
            let lan = settings.lan.network
            if let serial = machine.serial {
                check(serial, of: machine, index)
            } else if report.isSound("\(key).modbus", "lan.network"),
                !lan.contains(machine.address)
            {
                let network = reference(to: "lan.network")
                complain("\(key).modbus", "\(machine.address) is outside \(lan) of \(network)")
            }
            for (index, tag) in machine.tags.enumerated() {
                check(tag, "\(key).tag[\(index)]")
                checkLog(of: tag, in: machine, "\(key).tag[\(index)].log")
            }
        }
    }

    private mutating func check(_ tag: Settings.Tag, _ key: String) {
        guard report.isSound("\(key).type", "\(key).register") else { return }
        let isBit = tag.register.table == .coil || tag.register.table == .discrete
        let table = tag.register.table.rawValue
        if isBit != (tag.type == .bool) {
            complain(
                "\(key).type",
                isBit
                    ? "a \(table) is one bit; write \"bool\""
                    : "a bool is one bit; take it from a coil or discrete register")
        } else if Int(tag.register.address) + tag.type.registers > 65536 {
            complain(
                "\(key).register",
                "a value of \(tag.type.registers) registers goes over the last address, 65535")
        }
        guard tag.scale != nil, report.isSound("\(key).scale") else { return }
        switch tag.type {
        case .int16, .uint16, .int32, .uint32, .float32, .int64, .uint64, .float64: break
        case .bool, .string: complain("\(key).scale", "only numbers have a scale; leave it out")
        }
    }

    private mutating func checkLog(
        of tag: Settings.Tag, in machine: Settings.Machine, _ key: String
    ) {
        let log = tag.log
        if let condition = log.when, report.isSound("\(key).when") {
            switch machine.tags.first(where: { $0.name == condition.tag })?.type {
            case nil:
                complain(
                    "\(key).when",
                    "\(TOMLValue.quoted(condition.tag)) is no tag of this machine")
            case .string:
                complain("\(key).when", "\(condition.tag) is a text; compare a number or a bool")
            default: break
            }
        }
        if log.keep != .all, report.isSound("\(key).over", "\(key).every"), log.over < log.every {
            complain(
                "\(key).over",
                "shorter than every, \(DurationText.format(log.every)): no value would be in it")
        }
        if case .string = tag.type, report.isSound("\(key).keep") {
            switch log.keep {
            case .all, .first, .last: break
            case .average, .minimum, .maximum, .increase, .duration:
                complain("\(key).keep", "a text has no \(log.keep.rawValue); keep first or last")
            }
        }
    }

    // MARK: - Allow-list

    private mutating func checkAllowList() {
        if report.isSound("cloud.pins"), settings.cloud.pins.count == 1 {
            complain(
                "cloud.pins",
                "one pin alone locks us out when that key is lost; add the pin of a spare key")
        }
        if report.isSound("cloud.broker") { check(settings.cloud.broker, "cloud.broker") }
        if let vpn = settings.vpn, report.isSound("vpn.remote") { check(vpn.remote, "vpn.remote") }
        if let server = settings.vpn?.enrolment, report.isSound("vpn.enrol") {
            check(server.endpoint, "vpn.enrol")
        }
        if let bulk = settings.bulk, report.isSound("bulk.url") {
            check(bulk.folder.endpoint, "bulk.url")
        }
        guard let syslog = settings.syslog else { return }
        if report.isSound("syslog.server") { check(syslog.server, "syslog.server") }
        if (syslog.certificate == nil) != (syslog.key == nil),
            report.isSound("syslog.certificate", "syslog.key")
        {
            let (there, missing) =
                syslog.key == nil ? ("certificate", "key") : ("key", "certificate")
            complain("syslog.\(there)", "stands without \(missing); write both, or none")
        }
    }

    private mutating func check(_ endpoint: Settings.Endpoint, _ key: String) {
        let (domains, ports) = (settings.cloud.domains, settings.cloud.ports)
        if report.isSound("cloud.domains"), !domains.contains(where: { $0.matches(endpoint.host) })
        {
            let list = reference(to: "cloud.domains")
            complain(key, "\(endpoint.host) is not allowed by \(list); add the name there")
        }
        if report.isSound("cloud.ports"), !ports.contains(endpoint.port) {
            let list = reference(to: "cloud.ports")
            complain(key, "\(endpoint.port) is not in \(list); add \"\(endpoint.port)\" there")
        }
    }

    private mutating func checkProxy() {
        guard let vpn = settings.vpn, report.isSound("vpn.proxy") else { return }
        guard let proxy = vpn.proxy else {
            if vpn.proxyLogin != nil, report.isSound("vpn.proxy-login") {
                complain("vpn.proxy-login", "stands without proxy; write that, or leave it out")
            }
            return
        }
        if vpn.remote.port.transport == .udp, report.isSound("vpn.remote") {
            complain(
                "vpn.proxy", "carries TCP only; let \(reference(to: "vpn.remote")) end in /tcp")
        }
        guard vpn.proxyAuthentication == .ntlm, report.isSound("vpn.proxy-auth") else { return }
        if proxy.kind == .socks5 {
            complain("vpn.proxy-auth", "a SOCKS5 proxy knows no NTLM; write \"basic\"")
        }
        if vpn.proxyLogin == nil, !report.isSet("vpn.proxy-login") {
            complain("vpn.proxy-auth", "needs proxy-login, the file with user and password")
        }
    }

    private mutating func checkKeySwitch() {
        if let key = settings.keySwitch { check(key) }
        guard settings.vpn != nil, settings.keySwitch == nil, report.isSound("switch") else {
            return
        }
        complain("vpn", "stands without [switch]; remote access needs the switch that closes it")
    }

    private mutating func check(_ key: Settings.KeySwitch) {
        if let lamp = key.lampLine, lamp == key.line || lamp == key.remoteLine,
            report.isSound("switch.lamp", "switch.line", "switch.remote-line")
        {
            complain("switch.lamp", "is the key's own line; the lamp needs another one")
        }
        guard let second = key.remoteLine, report.isSound("switch.remote-line") else { return }
        if second == key.line, report.isSound("switch.line") {
            complain("switch.remote-line", "is the same line as line; each contact needs its own")
        }
        if key.disables != .wan, report.isSound("switch.disables") {
            complain(
                "switch.remote-line",
                "is for a key with the positions off, online and remote: off cuts the uplinks; "
                    + "write disables = \"wan\"")
        }
    }

    /// The page is for those who stand at the machine: nobody else may reach it.
    private mutating func checkPage() {
        guard let listen = settings.page.listen, report.isSound("page.listen", "lan.network"),
            !settings.lan.network.contains(listen.address)
        else { return }
        let network = reference(to: "lan.network")
        complain(
            "page.listen",
            "\(listen.address) is outside \(settings.lan.network) of \(network); "
                + "the page is shown to the machine network only")
    }

    // MARK: - Words

    mutating func complain(_ key: String, _ message: String) {
        report.add(message, key: key, at: report.place(of: key))
    }

    /// A key with its place, or as a default.
    func reference(to key: String) -> String {
        report.isSet(key) ? "\(key) (\(report.place(of: key)))" : "\(key) (its default)"
    }
}

extension Settings.RegisterType {
    /// How many registers, or bits, a value takes.
    fileprivate var registers: Int {
        switch self {
        case .bool, .int16, .uint16: 1
        case .int32, .uint32, .float32: 2
        case .int64, .uint64, .float64: 4
        case .string(let bytes): (bytes + 1) / 2
        }
    }
}
