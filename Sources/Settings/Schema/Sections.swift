import Base

/// Every key of the config file: its name, its place in `Settings`, its kind with its range, and (in
/// the drafts) its default. `etc/drawbridge.toml` says the same to people; a test compares the two.
enum Sections {
    /// Settings being read, and what applies to several parts of them.
    struct Draft: Sendable {
        var keepAlive = Sections.keepAlive.draft
        var settings = Settings(
            device: Sections.device.draft, uplinks: [], lan: Sections.lan.draft,
            dns: Sections.dns.draft, ntp: Sections.ntp.draft, cloud: Sections.cloud.draft,
            recorder: Sections.recorder.draft, machines: [])
    }

    /// The order matters in one place: the uplinks begin with what `keepalive` says.
    static let root = Section(
        name: "", draft: Draft(),
        keys: [
            Key("device", \.settings.device, .table(device), required: true),
            Key("keepalive", \.keepAlive, .table(keepAlive)),
            Key(
                "uplink", \.settings.uplinks, count: 1...8,
                section: { uplink($0.keepAlive) }, draft: Draft()),
            Key("failover", \.settings.failover, .table(failover)),
            Key("lan", \.settings.lan, .table(lan), required: true),
            Key("dns", \.settings.dns, .table(dns), required: true),
            Key("ntp", \.settings.ntp, .table(ntp)),
            Key("cloud", \.settings.cloud, .table(cloud), required: true),
            Key("recorder", \.settings.recorder, .table(recorder)),
            Key("bulk", optional: \.settings.bulk, .table(bulk)),
            Key("machine", \.settings.machines, .tables(machine, count: 0...64)),
            Key("subscribe", \.settings.subscriptions, .tables(subscription, count: 0...8)),
            Key("push", \.settings.push, .table(push)),
            Key("health", \.settings.health, .table(health)),
            Key("vpn", optional: \.settings.vpn, .table(vpn)),
            Key("switch", optional: \.settings.keySwitch, .table(keySwitch)),
            Key("page", \.settings.page, .table(page)),
            Key("syslog", optional: \.settings.syslog, .table(syslog)),
            Key("firewall", \.settings.firewall, .table(firewall)),
        ])

    static let device = Section(
        name: "device",
        draft: Settings.Device(
            name: "", stateDirectory: "/var/lib/drawbridge", runDirectory: "/run/drawbridge"),
        keys: [
            Key("name", \.name, .label, required: true),
            Key("state", \.stateDirectory, .path("/var/lib/drawbridge")),
            // A socket's whole path has at most 107 bytes (unix(7)).
            Key("run", \.runDirectory, .path("/run/drawbridge", bytesMax: 80)),
        ])

    static let keepAlive = Section(
        name: "keepalive",
        draft: Settings.KeepAlive(
            targets: [IPv4Address(value: 0x0101_0101), IPv4Address(value: 0x0909_0909)],
            interval: .seconds(1), timeout: .milliseconds(500), failures: 3, successes: 5),
        keys: [
            Key(
                "targets", \.probes,
                .list(of: .probe, "targets", such: #"["9.9.9.9"]"#, count: 1...8)),
            Key("interval", \.interval, .duration(.milliseconds(100) ... .seconds(3600))),
            Key("timeout", \.timeout, .duration(.milliseconds(50) ... .seconds(10))),
            Key("failures", \.failures, .integer(1...100)),
            Key("successes", \.successes, .integer(1...100)),
            Key("burst", \.burst, .flag),
            Key(
                "confirm", optional: \.confirm, .duration(.milliseconds(300) ... .seconds(10)),
                fallback: "by the medium"),
            Key("captive-check", \.captiveCheck, .captiveCheck),
        ])

    static func uplink(_ keepAlive: Settings.KeepAlive) -> Section<Settings.Uplink> {
        Section(
            name: "uplink",
            draft: Settings.Uplink(name: "", interface: "", usesDHCP: true, keepAlive: keepAlive),
            keys: [
                Key("name", \.name, .plainName, required: true),
                Key("interface", \.interface, .interface, required: true),
                Key("dhcp", \.usesDHCP, .flag),
                Key("gateway", optional: \.gateway, .host, fallback: "from DHCP"),
                Key("network", optional: \.network, .network),
                Key(
                    "medium", optional: \.medium, .choice(), fallback: "by the interface's name"),
                Key("metered", \.isMetered, .flag),
                Key(
                    "backlog", optional: \.backlog,
                    .size(ByteSize(bytes: 4_000)...ByteSize(bytes: 100_000_000)),
                    fallback: "\"1MB\", or \"64kB\" if metered"),
                Key(
                    "budget", optional: \.budget,
                    .budget(ByteSize(bytes: 1_000_000)...ByteSize(bytes: 1_000_000_000_000)),
                    fallback: "\"5MB\" if metered or cellular, otherwise \"none\""),
            ]
                + Sections.keepAlive.keys.map {
                    $0.within(\Settings.Uplink.keepAlive, fallback: "as in [keepalive]")
                })
    }

    static let failover = Section(
        name: "failover", draft: Settings.Failover(),
        keys: [
            Key("hold", \.hold, .duration(.zero ... .seconds(3600))),
            Key("hold-max", \.holdMax, .duration(.zero ... .seconds(86400))),
            Key("finish", \.finish, .duration(.zero ... .seconds(86400))),
            Key("quality", \.quality, .flag),
            Key("loss", \.loss, .integer(2...90)),
            Key("latency", \.latency, .integer(2...100)),
            Key("drill", optional: \.drill, .timeOfDay),
        ])

    static let lan = Section(
        name: "lan", draft: Settings.LAN(interface: "br-lan", network: nowhere),
        keys: [
            Key("interface", \.interface, .interface),
            Key("network", \.network, .network, required: true),
            Key(
                "services", \.services,
                .list(of: .choice(), "services", such: #"["dhcp"]"#, count: 0...2)),
        ])

    static let dns = Section(
        name: "dns",
        draft: Settings.DNS(servers: [], listen: IPv4Address(value: 0x7f00_0001)),
        keys: [
            Key(
                "servers", \.servers,
                .list(of: .host, "addresses", such: #"["9.9.9.9"]"#, count: 1...4), required: true),
            Key("listen", \.listen, .loopback),
        ])

    static let ntp = Section(
        name: "ntp", draft: Settings.NTP(servers: []),
        keys: [
            Key(
                "servers", \.servers,
                .list(of: .host, "addresses", such: #"["9.9.9.9"]"#, count: 0...8))
        ])

    static let cloud = Section(
        name: "cloud",
        draft: Settings.Cloud(
            domains: ["*.ixon.net", "*.ixon.cloud", "*.ayayot.com"].compactMap { .init($0) },
            ports: [.init(.tcp, 443), .init(.tcp, 8443), .init(.udp, 1194)],
            broker: noEndpoint, group: "drawbridge", identity: identity),
        keys: [
            Key(
                "domains", \.domains,
                .list(of: .pattern, "names", such: #"["*.ixon.net"]"#, count: 1...64)),
            Key("ports", \.ports, .list(of: .port, "ports", such: #"["tcp/443"]"#, count: 1...16)),
            Key("broker", \.broker, .broker, required: true),
            Key("group", \.group, .plainName),
            Key("payload", \.payload, .choice()),
            Key(
                "pins", \.pins,
                .list(of: .pin, "pins", such: #"["sha256/…", "sha256/…"]"#, count: 0...8)),
        ] + identityKeys.map { $0.within(\Settings.Cloud.identity) })

    static let recorder = Section(
        name: "recorder",
        draft: Settings.Recorder(
            directory: "/var/lib/drawbridge/recorder", size: ByteSize(bytes: 8_000_000_000),
            sync: .seconds(1)),
        keys: [
            Key("directory", \.directory, .path("/var/lib/drawbridge/recorder")),
            Key("size", \.size, .size(ByteSize(bytes: 1 << 20)...ByteSize(bytes: 1 << 40))),
            Key("sync", \.sync, .duration(.milliseconds(10) ... .seconds(60))),
        ])

    static let machine = Section(
        name: "machine",
        draft: Settings.Machine(
            name: "", address: IPv4Address(value: 0), port: 0, unit: 1, timeout: .seconds(1),
            tags: []),
        keys: [
            Key("name", \.name, .plainName, required: true),
            Key("modbus", \.modbus, .modbus, fallback: "none: then serial is required"),
            Key("serial", optional: \.serial, .table(serial)),
            Key("unit", \.unit, .integer(0...255)),
            Key("timeout", \.timeout, .duration(.milliseconds(50) ... .seconds(10))),
            Key("tag", \.tags, .tables(tag, count: 0...2000)),
        ], oneOf: ["modbus", "serial"])

    static let serial = Section(
        name: "machine.serial", draft: Settings.SerialLine(device: ""),
        keys: [
            Key("device", \.device, .path("/dev/ttyUSB0"), required: true),
            Key("baud", \.baud, .integer(1200...921_600)),
            Key("parity", \.parity, .choice()),
            Key("stop", \.stopBits, .integer(1...2)),
            Key("rs485", \.usesRS485, .flag),
        ])

    static let tag = Section(
        name: "machine.tag",
        draft: Settings.Tag(
            name: "", register: .init(table: .holding, address: 0), type: .bool,
            every: .seconds(1)),
        keys: [
            Key("name", \.name, .tagName, required: true),
            Key("register", \.register, .register, required: true),
            Key("type", \.type, .registerType, required: true),
            Key("order", \.order, .choice()),
            Key("scale", optional: \.scale, .factor),
            Key("log", \.log, .table(log, hint: "log = { every = \"1s\" }")),
        ])

    static let log = Section(
        name: "machine.tag.log", draft: Settings.Log(every: .seconds(1)),
        keys: [
            Key("every", \.every, .duration(.milliseconds(100) ... .seconds(86400))),
            Key("on", \.on, .choice()),
            Key("deadband", \.deadband, .distance),
            Key("expiry", optional: \.expiry, .duration(.seconds(1) ... .seconds(30 * 86400))),
            Key("when", optional: \.when, .condition),
            Key("keep", \.keep, .choice()),
            Key("over", \.over, .duration(.seconds(1) ... .seconds(86400))),
        ])

    static let vpn = Section(
        name: "vpn",
        draft: Settings.VPN(
            remote: noEndpoint, interface: "vpn0", network: nowhere, identity: identity,
            verifyName: ""),
        keys: [
            Key("remote", \.remote, .remote, required: true),
            Key("interface", \.interface, .interface),
            Key("network", \.network, .network, required: true),
            Key(
                "enrol", optional: \.enrolment, .enrolment,
                fallback: "none: certificate and key serve every session"),
            Key("tls-crypt", optional: \.tlsCrypt, .path("/etc/drawbridge/pki/tls-crypt.key")),
            Key("proxy", optional: \.proxy, .proxy),
            Key(
                "proxy-login", optional: \.proxyLogin, .path("/etc/drawbridge/pki/proxy-login"),
                fallback: "none: the proxy asks for no login"),
            Key("proxy-auth", \.proxyAuthentication, .choice()),
            Key("verify-name", \.verifyName, .commonName, fallback: "the host of remote"),
        ] + identityKeys.map { $0.within(\Settings.VPN.identity) },
        finish: { vpn in
            if vpn.verifyName.isEmpty { vpn.verifyName = vpn.remote.host.description }
        })

    static let keySwitch = Section(
        name: "switch",
        draft: Settings.KeySwitch(
            chip: "/dev/gpiochip0", line: .offset(0), offLevel: .high, bias: .pullUp,
            debounce: .milliseconds(50)),
        keys: [
            Key("chip", \.chip, .path("/dev/gpiochip0")),
            Key("line", \.line, .line, required: true),
            Key(
                "remote-line", optional: \.remoteLine, .line,
                fallback: "none: the key has two positions"),
            Key("when", \.offLevel, .choice()),
            Key("bias", \.bias, .choice()),
            Key("debounce", \.debounce, .duration(.milliseconds(1) ... .seconds(10))),
            Key("disables", \.disables, .choice()),
            Key(
                "limit", optional: \.limit, .duration(.seconds(10) ... .seconds(7 * 86400)),
                fallback: "none: while the key is on"),
            Key("lamp", optional: \.lampLine, .line, fallback: "none"),
            Key("lamp-on", \.lampLevel, .choice()),
        ])

    static let bulk = Section(
        name: "bulk",
        draft: Settings.Bulk(folder: Settings.HTTPSFolder(endpoint: noEndpoint, path: "")),
        keys: [Key("url", \.folder, .httpsFolder, required: true)])

    static let page = Section(
        name: "page", draft: Settings.Page(),
        keys: [Key("listen", optional: \.listen, .listener, fallback: "none: there is no page")])

    static let syslog = Section(
        name: "syslog",
        draft: Settings.Syslog(server: noEndpoint, authority: identity.authority),
        keys: [
            Key("server", \.server, .syslogServer, required: true),
            Key("ca", \.authority, .path(identity.authority)),
            Key(
                "certificate", optional: \.certificate, .path(identity.certificate),
                fallback: "none: we show no certificate"),
            Key("key", optional: \.key, .path(identity.key), fallback: "none"),
        ])

    private static let identity = Settings.Identity(
        authority: "/etc/drawbridge/pki/ca.pem", certificate: "/etc/drawbridge/pki/device.pem",
        key: "/etc/drawbridge/pki/device.key")

    private static let identityKeys: [Key<Settings.Identity>] = Section(
        name: "", draft: identity,
        keys: [
            Key("ca", \.authority, .path(identity.authority)),
            Key("certificate", \.certificate, .path(identity.certificate)),
            Key("key", \.key, .path(identity.key)),
        ]
    ).keys

    // What stands in for required values until they are read.
    private static let nowhere = constant(CIDR("0.0.0.0/32"))
    private static let noEndpoint = Settings.Endpoint(
        host: constant(DomainName("invalid")), port: .init(.tcp, 1))

    private static func constant<Value>(_ value: Value?) -> Value {
        guard let value else { preconditionFailure("a constant of the program is right") }
        return value
    }
}
