package import Base

extension Settings {
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
        /// `payload`: in which words records go to the broker.
        package var payload = Payload.sparkplug
        /// `pins`: keys of the broker's chain, any one of which suffices; empty, or 2…8 of them.
        package var pins: [SPKIPin]

        package init(
            domains: [DomainPattern], ports: [TransportPort], broker: Endpoint, group: String,
            identity: Identity, pins: [SPKIPin] = []
        ) {
            self.domains = domains
            self.ports = ports
            self.broker = broker
            self.group = group
            self.identity = identity
            self.pins = pins
        }
    }

    /// `[cloud] payload`
    package enum Payload: String, CaseIterable, Sendable {
        case sparkplug, json
    }

    /// Paths of PEM files that prove who we are and who they are.
    package struct Identity: Equatable, Sendable {
        package var authority: String
        package var certificate: String
        package var key: String

        package init(authority: String, certificate: String, key: String) {
            self.authority = authority
            self.certificate = certificate
            self.key = key
        }
    }

    /// A named host and a port.
    package struct Endpoint: Equatable, Sendable {
        package var host: DomainName
        package var port: TransportPort

        package init(host: DomainName, port: TransportPort) {
            self.host = host
            self.port = port
        }
    }

    package struct Recorder: Equatable, Sendable {
        package var directory: String
        /// All files of the directory together, at most. 1 MiB … 1 TiB
        package var size: ByteSize
        /// Longest time an accepted record may not yet be on flash. 10 ms … 1 min
        package var sync: Duration

        package init(directory: String, size: ByteSize, sync: Duration) {
            self.directory = directory
            self.size = size
            self.sync = sync
        }
    }
}
