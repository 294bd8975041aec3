package import Base

extension Settings {
    package struct VPN: Equatable, Sendable {
        /// `remote = "host:port/udp"`
        package var remote: Endpoint
        /// `interface`: the tun device's name.
        package var interface: String
        /// `network`: the addresses of the remote users.
        package var network: CIDR
        /// `ca`, `certificate`, `key`
        package var identity: Identity
        /// `enrol`: where each session gets a certificate of its own; nil: all sessions use that of `identity`.
        package var enrolment: Enrolment?
        /// `tls-crypt`: path of the pre-shared key file; nil: none.
        package var tlsCrypt: String?
        /// `verify-name`: the server certificate's common name.
        package var verifyName: String

        package init(
            remote: Endpoint, interface: String, network: CIDR, identity: Identity,
            enrolment: Enrolment? = nil, tlsCrypt: String? = nil, verifyName: String
        ) {
            self.remote = remote
            self.interface = interface
            self.network = network
            self.identity = identity
            self.enrolment = enrolment
            self.tlsCrypt = tlsCrypt
            self.verifyName = verifyName
        }
    }

    /// An enrolment server (EST, RFC 7030): `https://host[:port][/label]`.
    package struct Enrolment: Equatable, Sendable {
        package var endpoint: Endpoint
        /// Which of the server's authorities is meant (RFC 7030 §3.2.2); nil: its only one.
        package var label: String?

        package init(endpoint: Endpoint, label: String? = nil) {
            self.endpoint = endpoint
            self.label = label
        }

        /// Where certificates are asked for.
        package var url: String {
            "https://\(endpoint.host):\(endpoint.port.port)/.well-known/est/"
                + (label.map { $0 + "/" } ?? "") + "simpleenroll"
        }
    }

    /// `[switch]`: the key switch that closes the VPN, or every uplink.
    package struct KeySwitch: Equatable, Sendable {
        package enum Line: Equatable, Sendable {
            case offset(UInt32)
            case name(String)
        }
        package enum Level: String, CaseIterable, Sendable {
            case low, high
        }
        package enum Bias: String, CaseIterable, Sendable {
            case asIs = "as-is"
            case pullUp = "pull-up"
            case pullDown = "pull-down"
            case disabled
        }
        package enum Disables: String, CaseIterable, Sendable {
            case vpn, wan
        }
        /// `lamp`, `lamp-on`: an output that shows a remote session.
        package struct Lamp: Equatable, Sendable {
            package var line: Line
            /// The level that lights it.
            package var onLevel: Level

            package init(line: Line, onLevel: Level) {
                self.line = line
                self.onLevel = onLevel
            }
        }
        /// Path of the GPIO character device.
        package var chip: String
        package var line: Line
        /// `when`: the level at which remote access is off.
        package var offLevel: Level
        package var bias: Bias
        /// `debounce`: how long the line must be quiet at "on" before remote access is allowed again.
        package var debounce: Duration
        /// `disables`: what a key that is off cuts; `wan`: the uplinks, and so the VPN, too.
        package var disables: Disables
        /// `limit`: for how long a turn of the key allows remote access; nil: while the key is on.
        package var limit: Duration?
        /// `remote-line`: the second contact of a key with three positions, closed at "remote" while that of `line`
        /// is closed at "online"; nil: the key has two.
        package var remoteLine: Line?
        /// `lamp`: an output line of the same chip; nil: there is none.
        package var lampLine: Line?
        /// `lamp-on`: the level that lights it.
        package var lampLevel = Level.high

        package var lamp: Lamp? { lampLine.map { Lamp(line: $0, onLevel: lampLevel) } }

        package init(
            chip: String, line: Line, offLevel: Level, bias: Bias, debounce: Duration,
            disables: Disables = .vpn, limit: Duration? = nil
        ) {
            self.chip = chip
            self.line = line
            self.offLevel = offLevel
            self.bias = bias
            self.debounce = debounce
            self.disables = disables
            self.limit = limit
        }
    }
}
