package import Base

/// Everything that `drawbridge.toml` says: checked as a whole, complete with defaults, immutable.
///
/// `etc/drawbridge.toml` documents every key; the doc comments here name the key behind each value.
package struct Settings: Equatable, Sendable {
    package var device: Device
    /// `[[uplink]]`, in order of preference: preferred, first fallback, second fallback. 1…8 of them.
    package var uplinks: [Uplink]
    package var lan: LAN
    package var dns: DNS
    package var ntp: NTP
    package var cloud: Cloud
    package var recorder: Recorder
    package var machines: [Machine]
    /// `[vpn]`; nil: no remote access at all.
    package var vpn: VPN?
    /// `[switch]`; always there when `vpn` is.
    package var keySwitch: KeySwitch?

    /// `[device]`
    package struct Device: Equatable, Sendable {
        /// `name`: a DNS label, also the Sparkplug edge node id.
        package var name: String
        /// `state`: the daemon's directory for what must survive a restart.
        package var stateDirectory: String
        /// `run`: the daemon's directory for sockets, on a tmpfs.
        package var runDirectory: String
    }

    package struct Uplink: Equatable, Sendable {
        package var name: String
        /// A kernel interface name, 1…15 bytes.
        package var interface: String
        /// `gateway`; nil: taken from the default route that DHCP left for this interface.
        package var gateway: IPv4Address?
        /// `dhcp`: whether the firewall lets a DHCP client speak on this interface.
        package var usesDHCP: Bool
        /// `network`: the uplink's own network, for overlap checks; nil when it is not known beforehand.
        package var network: CIDR?
        package var keepAlive: KeepAlive
    }

    /// `[keepalive]`, or the same keys within an uplink.
    package struct KeepAlive: Equatable, Sendable {
        /// 1…8 targets, probed in turn.
        package var targets: [IPv4Address]
        /// 100 ms … 1 h
        package var interval: Duration
        /// 50 ms … 10 s, at most `interval`
        package var timeout: Duration
        /// Consecutive lost probes until the uplink is down, 1…100.
        package var failures: Int
        /// Consecutive answered probes until it is up again, 1…100.
        package var successes: Int
    }

    package struct LAN: Equatable, Sendable {
        package var interface: String
        package var network: CIDR
    }

    /// `[dns]`
    package struct DNS: Equatable, Sendable {
        /// `servers`: where the resolver asks, 1…4.
        package var servers: [IPv4Address]
        /// `listen`: the loopback address (port 53) on which the router's own programs find the resolver.
        package var listen: IPv4Address
    }

    /// `[ntp]`
    package struct NTP: Equatable, Sendable {
        /// `servers`: time servers that the firewall lets the router reach (udp/123), 0…8.
        package var servers: [IPv4Address]
    }

    package struct Cloud: Equatable, Sendable {
        /// `domains`: the allow-list.
        package var domains: [DomainPattern]
        /// `ports`: what may be reached at an allow-listed name.
        package var ports: [TransportPort]
        /// `broker`: `mqtts://host:port`.
        package var broker: Endpoint
        /// `group`: the Sparkplug group id.
        package var group: String
        /// `ca`, `certificate`, `key`: paths of PEM files.
        package var identity: Identity
    }

    /// Paths of PEM files that prove who we are and who they are.
    package struct Identity: Equatable, Sendable {
        package var authority: String
        package var certificate: String
        package var key: String
    }

    /// A named host and a port.
    package struct Endpoint: Equatable, Sendable {
        package var host: DomainName
        package var port: TransportPort
    }

    package struct Recorder: Equatable, Sendable {
        package var directory: String
        /// All files of the directory together, at most. 1 MiB … 1 TiB
        package var size: ByteSize
        /// Longest time an accepted record may not yet be on flash. 10 ms … 1 min
        package var sync: Duration
    }

    /// `[[machine]]`
    package struct Machine: Equatable, Sendable {
        package var name: String
        /// `modbus = "tcp://address:port"`
        package var address: IPv4Address
        package var port: UInt16
        /// `unit`: the Modbus unit id, 0…255.
        package var unit: UInt8
        /// `timeout` for one answer, 50 ms … 10 s
        package var timeout: Duration
        package var tags: [Tag]
    }

    /// `[[machine.tag]]`
    package struct Tag: Equatable, Sendable {
        package var name: String
        package var register: Register
        package var type: RegisterType
        /// `scale`: raw × scale = value; makes an integer type a double.
        package var scale: Double?
        /// `log.every`: how often it is read and recorded, 100 ms … 1 d
        package var every: Duration
    }

    /// `register = "holding:100"`: table and zero-based address.
    package struct Register: Hashable, Sendable {
        package enum Table: String, CaseIterable, Sendable {
            case coil, discrete, input, holding
        }
        package var table: Table
        package var address: UInt16
    }

    /// `type = …`; two-register types are big-endian, high word first (ABCD).
    package enum RegisterType: Equatable, Sendable {
        case bool, int16, uint16, int32, uint32, float32
        /// `"string:16"`: so many bytes, two in a register, padded with zeros; 1…250.
        case string(bytes: Int)
    }

    package struct VPN: Equatable, Sendable {
        /// `remote = "host:port/udp"`
        package var remote: Endpoint
        /// `interface`: the tun device's name.
        package var interface: String
        /// `network`: the addresses of the remote users.
        package var network: CIDR
        /// `ca`, `certificate`, `key`
        package var identity: Identity
        /// `tls-crypt`: path of the pre-shared key file; nil: none.
        package var tlsCrypt: String?
        /// `verify-name`: the server certificate's common name.
        package var verifyName: String
    }

    /// `[switch]`: the key switch that closes the VPN.
    package struct KeySwitch: Equatable, Sendable {
        package enum Line: Equatable, Sendable {
            case offset(UInt32)
            case name(String)
        }
        package enum Level: String, Sendable {
            case low, high
        }
        package enum Bias: String, CaseIterable, Sendable {
            case asIs = "as-is"
            case pullUp = "pull-up"
            case pullDown = "pull-down"
            case disabled
        }
        /// Path of the GPIO character device.
        package var chip: String
        package var line: Line
        /// `when`: the level at which remote access is off.
        package var offLevel: Level
        package var bias: Bias
        /// `debounce`: how long the line must be quiet at "on" before remote access is allowed again.
        package var debounce: Duration
    }
}
