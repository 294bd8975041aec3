/// A transport protocol that a rule or an endpoint can name.
package enum TransportProtocol: String, Hashable, Sendable {
    case tcp, udp

    /// The protocol number of the IP header (IANA).
    package var number: UInt8 {
        switch self {
        case .tcp: 6
        case .udp: 17
        }
    }
}

/// A protocol and port, written `"tcp/443"`.
package struct TransportPort: Hashable, Sendable, CustomStringConvertible {
    package var transport: TransportProtocol
    package var port: UInt16

    package init(_ transport: TransportProtocol, _ port: UInt16) {
        self.transport = transport
        self.port = port
    }

    /// Reads `"tcp/443"` or `"udp/1194"`; nil otherwise, and for port 0.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let transport = TransportProtocol(rawValue: String(parts[0])),
            let port = UInt16(decimal: parts[1]), port > 0
        else { return nil }
        self.init(transport, port)
    }

    package var description: String { "\(transport.rawValue)/\(port)" }
}
