import Base

extension Kind where Value == Settings.ProbeTarget {
    /// `1.1.1.1`, `tcp://1.1.1.1:443`, `dns://9.9.9.9`
    static let probe = Kind.quoted(
        "a probe's target",
        hint: "an address to ping, such as \"192.0.2.1\", or \"tcp://192.0.2.1:443\", or "
            + "\"dns://192.0.2.1\"", text: \.description
    ) { text throws(Refusal) in
        if text.hasPrefix("tcp://") {
            let parts = text.dropFirst(6).split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                if parts.count > 2 { try refuseIPv6(String(text.dropFirst(6))) }
                return nil
            }
            let address = try Self.address(parts[0])
            guard let port = TransportPort("tcp/\(parts[1])") else {
                try refusePort(parts[1])
                return nil
            }
            return Settings.ProbeTarget(address, .connect(port: port.port))
        }
        if text.hasPrefix("dns://") {
            return Settings.ProbeTarget(try address(text.dropFirst(6)), .dns)
        }
        try refuseIPv6(text)
        guard IPv4Address(text) != nil else { return nil }
        return Settings.ProbeTarget(try address(text[...]))
    }

    static func address(_ text: Substring) throws(Refusal) -> IPv4Address {
        try refuseIPv6(String(text))
        guard let address = IPv4Address(text) else {
            throw Refusal(
                "names no address; a probe needs one, for names may not resolve without it")
        }
        switch address.bytes[0] {
        case 1..<127, 128..<224: return address
        default: throw Refusal("is not the address of another host; write one such as 192.0.2.1")
        }
    }
}
