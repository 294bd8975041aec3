package import Base

/// What the doctor needs to know of the configuration.
package struct DoctorPlan: Sendable {
    package struct Uplink: Sendable {
        package var name: String
        package var interface: String
        package var address: IPv4Address?
        package var gateway: IPv4Address?

        package init(
            name: String, interface: String, address: IPv4Address?, gateway: IPv4Address?
        ) {
            self.name = name
            self.interface = interface
            self.address = address
            self.gateway = gateway
        }
    }

    package var device: String
    package var uplinks: [Uplink]
    package var nameServers: [IPv4Address]
    package var brokerHost: DomainName
    package var brokerPort: UInt16
    /// The authority that the broker's certificate must come from, a path.
    package var authority: String
    package var recorderDirectory: String
    /// Servers besides the broker.
    package var servers: [DoctorServer] = []
    /// The uplink that carries what goes to servers; nil: none does.
    package var carrying: Uplink?
    /// The interface of the machine network.
    package var lanInterface = ""
    package var push: DoctorPush?

    package init(
        device: String, uplinks: [Uplink], nameServers: [IPv4Address], brokerHost: DomainName,
        brokerPort: UInt16, authority: String, recorderDirectory: String
    ) {
        self.device = device
        self.uplinks = uplinks
        self.nameServers = nameServers
        self.brokerHost = brokerHost
        self.brokerPort = brokerPort
        self.authority = authority
        self.recorderDirectory = recorderDirectory
    }
}

/// What the probes found, before anybody judges it.
struct DoctorFindings: Sendable {
    enum Answer: Equatable, Sendable {
        case works(String)
        /// Why not: `Connection timed out`.
        case fails(String)
    }

    struct Certificate: Equatable, Sendable {
        enum Trust: Equatable, Sendable {
            case trusted
            /// From an authority that is not ours.
            case foreign
            case untimely
            case other(String)
        }
        var subject = ""
        var issuer = ""
        var trust = Trust.trusted
    }

    enum TLS: Equatable, Sendable {
        case shown(Certificate)
        case failed(String)
    }

    struct Uplink: Sendable {
        var plan: DoctorPlan.Uplink
        var exists = true
        /// nil: the interface is switched off.
        var hasCarrier: Bool?
        var hardwareAddress: String?
        /// nil: the kernel has not asked it lately.
        var gatewayAnswers: Bool?
        /// For each name server.
        var names: [(server: IPv4Address, answer: Answer)] = []
        /// nil: not tried, since the broker's address is not known.
        var connection: Answer?
        var tls: TLS?
    }

    var uplinks: [Uplink] = []
    var servers: [Server] = []
    var brokerAddress: IPv4Address?
    /// Why the broker's name could not be resolved.
    var resolveTrouble = ""
    /// nil: it cannot be told.
    var diskFree: Int64?
    var wallMilliseconds: Int64 = 0
    var isClockKept = false
}
