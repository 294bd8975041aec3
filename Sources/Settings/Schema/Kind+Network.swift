import Base

/// Addresses, networks, names and ports.
func refuseIPv6(_ text: String) throws(Refusal) {
    let looksLikeIt =
        text.utf8.count(where: { $0 == UInt8(ascii: ":") }) >= 2
        && text.utf8.allSatisfy { $0.isHexDigit || ":./[]%".utf8.contains($0) }
    if looksLikeIt { throw Refusal("is IPv6; only IPv4 is supported, such as 192.0.2.1") }
}

/// Tells a port that is a number, but none of a port, from other mistakes.
func refusePort(_ text: Substring) throws(Refusal) {
    guard !text.isEmpty, text.utf8.allSatisfy(\.isDigit) else { return }
    throw Refusal("has no usable port; ports are 1 to 65535, without leading zeros")
}

extension Kind where Value == IPv4Address {
    /// An address that a host may have.
    static let host = Kind.quoted(
        "an IPv4 address", hint: "four numbers of 0 to 255, such as \"192.0.2.1\""
    ) { text throws(Refusal) in
        try refuseIPv6(text)
        guard let address = IPv4Address(text) else { return nil }
        switch address.bytes[0] {
        case 1..<127, 128..<224: return address
        default: throw Refusal("is not the address of another host; write one such as 192.0.2.1")
        }
    }

    static let loopback = Kind.quoted(
        "a loopback address", hint: "an address of this host, such as \"127.0.0.1\"",
        range: "127.0.0.0/8"
    ) { text throws(Refusal) in
        try refuseIPv6(text)
        guard let address = IPv4Address(text), address.bytes[0] == 127 else { return nil }
        return address
    }
}

extension Kind where Value == CIDR {
    static let network = Kind.quoted(
        "an IPv4 network", hint: "its first address and its length, such as \"192.168.140.0/24\"",
        range: "/8 to /30"
    ) { text throws(Refusal) in
        try refuseIPv6(text)
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(parts[0]),
            let length = Int(decimal: parts[1]),
            let network = CIDR(containing: address, prefixLength: length)
        else { return nil }
        guard network.network == address else {
            throw Refusal("is an address within a network; write \"\(network)\"")
        }
        guard (8...30).contains(length) else { throw Refusal("is out of range; write /8 to /30") }
        guard Kind<IPv4Address>.isOrdinary(network) else {
            throw Refusal("is not a network of hosts; write one such as \"192.168.140.0/24\"")
        }
        return network
    }
}

extension Kind where Value == IPv4Address {
    fileprivate static func isOrdinary(_ network: CIDR) -> Bool {
        let first = network.network.bytes[0]
        return (1..<127).contains(first) || (128..<224).contains(first)
    }
}

extension Kind where Value == DomainPattern {
    static let pattern = Kind.quoted(
        "a domain name", hint: "a name, or *. and a name, such as \"*.ixon.net\""
    ) { text throws(Refusal) in
        try refuseIPv6(text)
        guard IPv4Address(text) == nil else {
            throw Refusal("is an address; what is allowed is named, such as \"*.ixon.net\"")
        }
        return DomainPattern(text)
    }
}

extension Kind where Value == DomainName {
    static let name = Kind.quoted("a domain name", hint: "a name, such as \"vpn.ixon.net\"") {
        text in
        DomainName(text)
    }
}

extension Kind where Value == TransportPort {
    static let port = Kind.quoted(
        "a port", hint: "tcp/ or udp/ and a number, such as \"tcp/443\"", range: "1 to 65535"
    ) { text throws(Refusal) in
        if let port = TransportPort(text) { return port }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 2, TransportProtocol(rawValue: String(parts[0])) != nil {
            try refusePort(parts[1])
        }
        return nil
    }
}

extension Kind where Value == Settings.Page.Listener {
    /// `192.168.140.1:80`
    static let listener = Kind.quoted(
        "an address and a port", hint: "such as \"192.168.140.1:80\"",
        text: { "\($0.address):\($0.port)" }
    ) { text throws(Refusal) in
        try refuseIPv6(text)
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(parts[0]) else { return nil }
        guard let port = TransportPort("tcp/\(parts[1])") else {
            try refusePort(parts[1])
            return nil
        }
        return Settings.Page.Listener(address: address, port: port.port)
    }
}

extension Kind where Value == Settings.Proxy {
    /// `http://10.1.0.80:3128`
    static let proxy = Kind(
        noun: plainProxy.noun, hint: plainProxy.hint,
        read: { node, key, report in
            guard case .string(let text) = node.value, text.contains("@") else {
                return plainProxy.read(node, key, &report)
            }
            // Without the value: what is reported goes to a log.
            report.add(
                "holds a login; write that into a file, and its path as proxy-login", key: key,
                at: node.position)
            return nil
        }, text: plainProxy.text)

    private static let plainProxy = Kind.quoted(
        "a proxy",
        hint: "http:// or socks5://, an address and a port, such as \"http://10.1.0.80:3128\"",
        text: { "\($0.kind.rawValue)://\($0.address):\($0.port)" }
    ) { text throws(Refusal) in
        let kinds = [Settings.Proxy.Kind.http, .socks5]
        guard let kind = kinds.first(where: { text.hasPrefix("\($0.rawValue)://") }) else {
            return nil
        }
        let rest = text.dropFirst(kind.rawValue.count + 3)
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        guard let address = IPv4Address(parts[0]) else {
            throw Refusal("names the proxy; write its address, which the firewall can let through")
        }
        guard (1..<224).contains(address.bytes[0]), address.bytes[0] != 127 else {
            throw Refusal("is not the address of another host; write one such as 10.1.0.80")
        }
        guard let port = TransportPort("tcp/\(parts[1])") else {
            try refusePort(parts[1])
            return nil
        }
        return Settings.Proxy(kind: kind, address: address, port: port.port)
    }
}

extension Kind where Value == Settings.Endpoint {
    /// `mqtts://host:port`
    static let broker = Kind.quoted(
        "a broker", hint: "a URL, such as \"mqtts://mqtt.ixon.net:443\"",
        text: { "mqtts://\($0.host):\($0.port.port)" }
    ) { text throws(Refusal) in
        guard !text.hasPrefix("mqtt://") else {
            throw Refusal("is not encrypted; write mqtts:// and the broker's TLS port")
        }
        guard text.hasPrefix("mqtts://") else { return nil }
        return try endpoint(text.dropFirst("mqtts://".count), transport: .tcp)
    }

    /// `tls://host:port`
    static let syslogServer = Kind.quoted(
        "a syslog server", hint: "a URL, such as \"tls://logs.example.net:6514\"",
        text: { "tls://\($0.host):\($0.port.port)" }
    ) { text throws(Refusal) in
        guard !text.hasPrefix("udp://"), !text.hasPrefix("tcp://") else {
            throw Refusal("is not encrypted; write tls:// and the server's TLS port")
        }
        guard text.hasPrefix("tls://") else { return nil }
        return try endpoint(text.dropFirst("tls://".count), transport: .tcp)
    }

    /// `host:port/udp`
    static let remote = Kind.quoted(
        "a server", hint: "host:port/udp or host:port/tcp, such as \"vpn.ixon.net:1194/udp\"",
        text: { "\($0.host):\($0.port.port)/\($0.port.transport.rawValue)" }
    ) { text throws(Refusal) in
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let transport = TransportProtocol(rawValue: String(parts[1]))
        else { return nil }
        return try endpoint(parts[0], transport: transport)
    }

    static func endpoint(
        _ text: Substring, transport: TransportProtocol
    ) throws(Refusal) -> Settings.Endpoint? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let first = parts.first, IPv4Address(first) == nil, !text.hasPrefix("[") else {
            throw Refusal("names an address; write the host's name, which the allow-list knows")
        }
        guard parts.count == 2, let host = DomainName(first) else { return nil }
        guard let port = TransportPort("\(transport.rawValue)/\(parts[1])") else {
            try refusePort(parts[1])
            return nil
        }
        return Settings.Endpoint(host: host, port: port)
    }
}

extension Kind where Value == Settings.Enrolment {
    /// `https://host[:port][/label]`
    static let enrolment = Kind.quoted(
        "an enrolment server",
        hint: "https://host, also with :port and /label, such as \"https://enrol.ixon.net\"",
        text: { server in
            "https://\(server.endpoint.host):\(server.endpoint.port.port)"
                + (server.label.map { "/" + $0 } ?? "")
        }
    ) { text throws(Refusal) in
        guard !text.hasPrefix("http://") else {
            throw Refusal("is not encrypted; write https://")
        }
        guard text.hasPrefix("https://") else { return nil }
        let parts = text.dropFirst("https://".count)
            .split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2 else {
            throw Refusal(
                "names a path; after the host comes at most one label, the rest is RFC 7030's")
        }
        let place = parts[0].contains(":") ? parts[0] : parts[0] + ":443"
        guard let endpoint = try Kind<Settings.Endpoint>.endpoint(place, transport: .tcp) else {
            return nil
        }
        guard parts.count == 2 else { return Settings.Enrolment(endpoint: endpoint) }
        let label = parts[1]
        guard (1...64).contains(label.utf8.count),
            label.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }),
            !label.hasPrefix(".")
        else { throw Refusal("has a label that is not 1 to 64 letters, digits, - _ or .") }
        return Settings.Enrolment(endpoint: endpoint, label: String(label))
    }
}

extension Kind where Value == SPKIPin {
    static let pin = Kind.quoted(
        "a pin of a public key", hint: "\"sha256/\" and 44 characters of Base64"
    ) { text in SPKIPin(text) }
}
