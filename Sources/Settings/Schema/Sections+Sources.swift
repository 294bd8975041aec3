import Base

/// What brings readings besides the machines that the router asks.
extension Sections {
    static let push = Section(
        name: "push", draft: Settings.Push(),
        keys: [
            Key("enabled", \.isEnabled, .flag),
            Key(
                "listen", optional: \.listen, .listener,
                fallback: "none: nobody pushes over the network"),
            Key("client", \.clients, .tables(pushClient, count: 0...16)),
        ])

    static let pushClient = Section(
        name: "push.client", draft: Settings.Push.Client(),
        keys: [
            Key("name", \.name, .plainName, required: true),
            Key("token-file", \.tokenFile, .path("/etc/drawbridge/push/hmi-1"), required: true),
        ])

    static let subscription = Section(
        name: "subscribe",
        draft: Settings.Subscription(name: "", address: IPv4Address(value: 0), port: 0),
        keys: [
            Key("name", \.name, .plainName, required: true),
            Key("broker", \.place, .localBroker, required: true),
            Key("user", optional: \.user, .brokerUser, fallback: "none: the broker asks for none"),
            Key(
                "password-file", optional: \.passwordFile, .path("/etc/drawbridge/pki/line-broker"),
                fallback: "none"),
            Key("tag", \.tags, .tables(subscribedTag, count: 0...256)),
        ])

    static let subscribedTag = Section(
        name: "subscribe.tag", draft: Settings.Subscription.Tag(),
        keys: [
            Key("name", \.name, .tagName, required: true),
            Key("topic", \.topic, .topic, required: true),
            Key("type", \.type, .choice()),
            Key(
                "value", optional: \.pointer, .pointer,
                fallback: "none: the whole payload is the value"),
            Key("log", \.log, .table(subscribedLog, hint: "log = { on = \"change\" }")),
        ])

    static let subscribedLog = Section(
        name: "subscribe.tag.log", draft: Settings.Subscription.Log(),
        keys: [
            Key("on", \.on, .choice()),
            Key("deadband", \.deadband, .distance),
            Key("expiry", optional: \.expiry, .duration(.seconds(1) ... .seconds(30 * 86400))),
        ])

    static let health = Section(
        name: "health", draft: Settings.Health(),
        keys: [
            Key("enabled", \.isEnabled, .flag),
            Key("every", \.every, .duration(.seconds(1) ... .seconds(86400))),
        ])
}
