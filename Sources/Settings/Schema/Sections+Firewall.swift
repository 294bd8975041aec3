import Base

extension Sections {
    static let firewall = Section(
        name: "firewall", draft: Settings.Firewall(),
        keys: [
            Key("lan-to-wan", \.lanToWAN, .choice()),
            Key("vpn-behind-router", \.hidesVPN, .flag),
            Key("trial", \.trial, .duration(.zero ... .seconds(3600))),
            Key("alarm", \.alarm, .table(alarm)),
            Key("allow", \.allowed, .tables(allow, count: 0...10_000)),
            Key("forward", \.forwards, .tables(forward, count: 0...64)),
            Key("nat", \.translations, .tables(translation, count: 0...64)),
        ])

    private static let alarm = Section(
        name: "firewall.alarm", draft: Settings.Firewall.Alarm(),
        keys: [
            Key("drops", \.drops, .integer(0...1_000_000)),
            Key("new", \.new, .integer(0...1_000_000)),
            Key("syn", \.syn, .integer(0...1_000_000)),
            Key("conntrack", \.conntrackPercent, .integer(0...100)),
        ])

    private static let translation = Section(
        name: "firewall.nat",
        draft: Settings.Firewall.Translation(
            comment: "", side: "", address: IPv4Address(value: 0), machine: IPv4Address(value: 0)),
        keys: [
            Key("comment", \.comment, .comment, required: true),
            Key("on", \.side, .plainName, required: true),
            Key("address", \.address, .host, required: true),
            Key("to", \.machine, .host, required: true),
        ])

    private static let allow = Section(
        name: "firewall.allow",
        draft: Settings.Firewall.Allow(comment: "", from: .lan, to: .wan, service: .icmp),
        keys: [
            Key("comment", \.comment, .comment, required: true),
            Key("from", \.from, .choice(), required: true),
            Key("to", \.to, .choice(), required: true),
            Key("source", optional: \.source, .hosts, fallback: "any"),
            Key("destination", optional: \.destination, .hosts, fallback: "any"),
            Key("mac", optional: \.mac, .mac, fallback: "any"),
            Key("port", \.service, .service, required: true),
            Key("until", optional: \.until, .until),
            Key("when", optional: \.when, .hours, fallback: "always"),
            Key("let-the-wan-in", \.letsTheWANIn, .flag),
        ])

    private static let forward = Section(
        name: "firewall.forward",
        draft: Settings.Firewall.Forward(
            comment: "", port: .init(.tcp, 1), machine: IPv4Address(value: 0), machinePort: 0,
            letsTheWANIn: false),
        keys: [
            Key("comment", \.comment, .comment, required: true),
            Key("port", \.port, .port, required: true),
            Key("source", optional: \.source, .hosts, fallback: "any"),
            Key("to", \.machine, .host, required: true),
            Key("to-port", \.machinePort, .integer(1...65535), fallback: "the same as port"),
            Key("let-the-wan-in", \.letsTheWANIn, .flag),
        ],
        finish: { forward in
            if forward.machinePort == 0 { forward.machinePort = forward.port.port }
        })
}
