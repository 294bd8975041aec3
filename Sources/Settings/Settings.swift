package import Base

/// Everything that `drawbridge.toml` says: checked as a whole, complete with defaults, immutable.
///
/// `etc/drawbridge.toml` documents every key; the doc comments here name the key behind each value.
package struct Settings: Equatable, Sendable {
    package var device: Device
    /// `[[uplink]]`, in order of preference: preferred, first fallback, second fallback. 1…8 of them.
    package var uplinks: [Uplink]
    /// `[failover]`
    package var failover = Failover()
    package var lan: LAN
    package var dns: DNS
    package var ntp: NTP
    package var cloud: Cloud
    package var recorder: Recorder
    /// `[bulk]`; nil: blocks stay here.
    package var bulk: Bulk?
    package var machines: [Machine]
    /// `[[subscribe]]`, 0…8 of them.
    package var subscriptions: [Subscription] = []
    /// `[push]`
    package var push = Push()
    /// `[health]`
    package var health = Health()
    /// `[vpn]`; nil: no remote access at all.
    package var vpn: VPN?
    /// `[switch]`; always there when `vpn` is.
    package var keySwitch: KeySwitch?
    /// `[page]`
    package var page: Page
    /// `[syslog]`; nil: the event log stays here.
    package var syslog: Syslog?
    package var firewall: Firewall

    /// `[device]`
    package struct Device: Equatable, Sendable {
        /// `name`: a DNS label, also the Sparkplug edge node id.
        package var name: String
        /// `state`: the daemon's directory for what must survive a restart.
        package var stateDirectory: String
        /// `run`: the daemon's directory for sockets, on a tmpfs.
        package var runDirectory: String

        package init(name: String, stateDirectory: String, runDirectory: String) {
            self.name = name
            self.stateDirectory = stateDirectory
            self.runDirectory = runDirectory
        }
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
        /// `metered`: whether its bytes are paid for.
        package var isMetered: Bool
        /// `backlog`: bytes a second that old records may take beside live data; nil: by `metered`.
        package var backlog: ByteSize?
        /// `budget`: bytes a month that its probes may take; nil: by `metered` and `medium`.
        package var budget: ProbeBudget?
        package var keepAlive: KeepAlive
        /// `medium`; nil: guessed from the interface's name.
        package var medium: Medium?

        /// Bytes a second that old records may take beside live data.
        package var backlogBudget: ByteSize {
            backlog ?? ByteSize(bytes: isMetered ? 64_000 : 1_000_000)
        }

        package init(
            name: String, interface: String, gateway: IPv4Address? = nil, usesDHCP: Bool,
            network: CIDR? = nil, isMetered: Bool = false, backlog: ByteSize? = nil,
            budget: ProbeBudget? = nil, keepAlive: KeepAlive, medium: Medium? = nil
        ) {
            self.name = name
            self.interface = interface
            self.gateway = gateway
            self.usesDHCP = usesDHCP
            self.network = network
            self.isMetered = isMetered
            self.backlog = backlog
            self.budget = budget
            self.keepAlive = keepAlive
            self.medium = medium
        }
    }

    /// `[keepalive]`, or the same keys within an uplink.
    package struct KeepAlive: Equatable, Sendable {
        /// `targets`, 1…8, probed in turn; no address stands twice.
        package var probes: [ProbeTarget]
        /// 100 ms … 1 h
        package var interval: Duration
        /// 50 ms … 10 s, at most `interval`
        package var timeout: Duration
        /// Consecutive lost probes until the uplink is down, 1…100.
        package var failures: Int
        /// Consecutive answered probes until it is up again, 1…100.
        package var successes: Int
        /// Whether a lost probe starts a burst of probes that decides at once.
        package var burst: Bool
        /// `confirm`: the shortest silence that is believed, 300 ms … 10 s; nil: as fits the medium.
        package var confirm: Duration?
        /// `captive-check`
        package var captiveCheck = CaptiveCheck.off

        package init(
            targets: [IPv4Address], interval: Duration, timeout: Duration, failures: Int,
            successes: Int, burst: Bool = true, confirm: Duration? = nil
        ) {
            probes = targets.map { ProbeTarget($0) }
            self.interval = interval
            self.timeout = timeout
            self.failures = failures
            self.successes = successes
            self.burst = burst
            self.confirm = confirm
        }
    }

    package struct LAN: Equatable, Sendable {
        package var interface: String
        package var network: CIDR
        /// `services`: what programs of the router may serve to the machines.
        package var services: [Service] = []

        package enum Service: String, CaseIterable, Sendable {
            case dhcp, ntp
        }

        package init(interface: String, network: CIDR) {
            self.interface = interface
            self.network = network
        }
    }

    /// `[dns]`
    package struct DNS: Equatable, Sendable {
        /// `servers`: where the resolver asks, 1…4.
        package var servers: [IPv4Address]
        /// `listen`: the loopback address (port 53) on which the router's own programs find the resolver.
        package var listen: IPv4Address

        package init(servers: [IPv4Address], listen: IPv4Address) {
            self.servers = servers
            self.listen = listen
        }
    }

    /// `[ntp]`
    package struct NTP: Equatable, Sendable {
        /// `servers`: time servers that the firewall lets the router reach (udp/123), 0…8.
        package var servers: [IPv4Address]

        package init(servers: [IPv4Address]) {
            self.servers = servers
        }
    }

    package init(
        device: Device, uplinks: [Uplink], lan: LAN, dns: DNS, ntp: NTP, cloud: Cloud,
        recorder: Recorder, machines: [Machine], vpn: VPN? = nil, keySwitch: KeySwitch? = nil,
        page: Page = Page(),
        firewall: Firewall = Firewall()
    ) {
        self.device = device
        self.uplinks = uplinks
        self.lan = lan
        self.dns = dns
        self.ntp = ntp
        self.cloud = cloud
        self.recorder = recorder
        self.machines = machines
        self.vpn = vpn
        self.keySwitch = keySwitch
        self.page = page
        self.firewall = firewall
    }
}
