import Base

/// What only subscriptions have.
extension Settings.Subscription {
    /// The two values of the key `broker`.
    var place: BrokerPlace {
        get { BrokerPlace(address: address, port: port) }
        set { (address, port) = (newValue.address, newValue.port) }
    }
}

struct BrokerPlace: Sendable {
    var address: IPv4Address
    var port: UInt16
}

extension Kind where Value == BrokerPlace {
    /// `mqtt://address:port`
    static let localBroker = Kind(
        noun: plainBroker.noun, hint: plainBroker.hint,
        read: { node, key, report in
            guard case .string(let text) = node.value, text.contains("@") else {
                return plainBroker.read(node, key, &report)
            }
            // Without the value: what is reported goes to a log.
            report.add(
                "holds a login; write user, and a password-file", key: key, at: node.position)
            return nil
        }, text: plainBroker.text)

    private static let plainBroker = Kind.quoted(
        "an MQTT broker", hint: "mqtt://address:port, such as \"mqtt://192.168.140.20:1883\"",
        text: { "mqtt://\($0.address):\($0.port)" }
    ) { text throws(Refusal) in
        guard !text.hasPrefix("mqtts://") else {
            throw Refusal(
                "is TLS, which is for the cloud; write mqtt:// and the broker's plain port")
        }
        guard text.hasPrefix("mqtt://") else { return nil }
        let parts = text.dropFirst(7).split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2 else {
            throw Refusal("is IPv6; only IPv4 is supported, such as mqtt://192.168.140.20:1883")
        }
        guard parts.count == 2, let address = IPv4Address(parts[0]) else { return nil }
        guard let port = TransportPort("tcp/\(parts[1])") else {
            try refusePort(parts[1])
            return nil
        }
        return BrokerPlace(address: address, port: port.port)
    }
}

extension Kind where Value == Settings.JSONPointer {
    static let pointer = Kind.quoted(
        "a JSON pointer",
        hint: "the steps to the value, such as \"/value\" or \"/sensors/0/celsius\"",
        range: "1 to 16 steps", text: \.text
    ) { text in Settings.JSONPointer(text) }
}

extension Kind where Value == String {
    /// An MQTT topic (MQTT 3.1.1 §4.7), whole.
    static let topic = Kind.quoted(
        "a topic", hint: "a whole topic, such as \"plant/oven/temperature\"",
        range: "1 to 256 bytes without + and #"
    ) { text throws(Refusal) in
        guard !text.contains("+"), !text.contains("#") else {
            throw Refusal("holds + or #; write each topic out, with a tag of its own")
        }
        guard !text.isEmpty, !text.hasPrefix("$"), !text.utf8.contains(where: \.isControl) else {
            return nil
        }
        guard text.utf8.count <= 256 else {
            throw Refusal("is \(text.utf8.count) bytes long; at most 256 are allowed")
        }
        return text
    }

    /// A user of a broker.
    static let brokerUser = Kind.quoted(
        "a user", hint: "1 to 128 bytes, such as \"drawbridge\"", range: "1 to 128 bytes"
    ) { text in
        (1...128).contains(text.utf8.count) && !text.utf8.contains(where: \.isControl)
            ? text : nil
    }
}
