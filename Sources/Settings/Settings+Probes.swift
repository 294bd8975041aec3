package import Base

extension Settings {
    /// Whom a keep-alive probe asks, and how.
    package struct ProbeTarget: Hashable, Sendable, CustomStringConvertible {
        package enum Method: Hashable, Sendable {
            /// ICMP echo.
            case ping
            /// A TCP connection that is given up as soon as somebody has answered.
            case connect(port: UInt16)
            /// A question by DNS, over UDP.
            case dns
        }

        package var address: IPv4Address
        package var method: Method

        package init(_ address: IPv4Address, _ method: Method = .ping) {
            self.address = address
            self.method = method
        }

        /// As in the config file.
        package var description: String {
            switch method {
            case .ping: "\(address)"
            case .connect(let port): "tcp://\(address):\(port)"
            case .dns: "dns://\(address)"
            }
        }

        /// Where it asks; nil: it is pinged.
        package var port: TransportPort? {
            switch method {
            case .ping: nil
            case .connect(let port): TransportPort(.tcp, port)
            case .dns: TransportPort(.udp, 53)
            }
        }

        /// What the firewall lets through for it: `icmp`, `tcp/443`, `udp/53`.
        package var service: String { port?.description ?? "icmp" }
    }
}

extension Settings.KeepAlive {
    /// The addresses that are probed, in whatever way.
    package var targets: [IPv4Address] { probes.map(\.address) }
}
