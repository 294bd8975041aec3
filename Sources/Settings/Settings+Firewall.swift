package import Base

extension Settings {
    /// `[firewall]`: what may cross besides what is always closed.
    package struct Firewall: Equatable, Sendable {
        /// Where the machines may connect to over the uplinks.
        package enum LANToWAN: String, CaseIterable, Sendable {
            case neither
            case `private`
            case `public`
            case both

            /// As in "machines may reach …".
            package var words: String {
                switch self {
                case .neither: "nothing"
                case .private: "private networks"
                case .public: "the internet"
                case .both: "everything"
                }
            }
        }

        /// `lan-to-wan`
        package var lanToWAN: LANToWAN
        /// `vpn-behind-router`: the machines see remote users under the router's own address.
        package var hidesVPN: Bool
        /// `[[firewall.allow]]`
        package var allowed: [Allow]
        /// `[[firewall.forward]]`
        package var forwards: [Forward]
        /// `[[firewall.nat]]`
        package var translations: [Translation] = []
        /// `trial`: how long a change may take to prove itself before it is taken back; zero: it need not.
        package var trial: Duration
        /// `[firewall.alarm]`
        package var alarm = Alarm()

        package init(
            lanToWAN: LANToWAN = .neither, hidesVPN: Bool = false, allowed: [Allow] = [],
            forwards: [Forward] = [], trial: Duration = .seconds(60)
        ) {
            self.lanToWAN = lanToWAN
            self.hidesVPN = hidesVPN
            self.allowed = allowed
            self.forwards = forwards
            self.trial = trial
        }
    }
}

extension Settings.Firewall {
    package enum Zone: String, CaseIterable, Sendable {
        case wan, lan, router
    }

    /// A protocol and the ports that connections may go to: `"tcp/502"`, `"udp/5000-5010"`, `"icmp"`.
    package struct Service: Hashable, Sendable, CustomStringConvertible {
        /// The protocol number of the IP header (IANA).
        package var protocolNumber: UInt8
        /// For ICMP all of them.
        package var ports: ClosedRange<UInt16>

        package init(_ transport: TransportProtocol, _ ports: ClosedRange<UInt16>) {
            protocolNumber = transport.number
            self.ports = ports
        }

        private init() {
            protocolNumber = 1
            ports = 0...UInt16.max
        }

        package static let icmp = Service()

        /// nil: not written so, or a port of 0, or a range the wrong way round.
        package init?(_ text: String) {
            if text == "icmp" {
                self = .icmp
                return
            }
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, let transport = TransportProtocol(rawValue: String(parts[0]))
            else { return nil }
            let ends = parts[1].split(separator: "-", omittingEmptySubsequences: false)
                .map { UInt16(decimal: $0) }
            guard (1...2).contains(ends.count), let first = ends[0],
                let last = ends[ends.count - 1],
                first > 0, first <= last
            else { return nil }
            self.init(transport, first...last)
        }

        package var protocolName: String {
            switch protocolNumber {
            case 1: "icmp"
            case 6: "tcp"
            default: "udp"
            }
        }

        package var description: String {
            if protocolNumber == 1 { return "icmp" }
            let port =
                ports.count == 1 ? "\(ports.lowerBound)" : "\(ports.lowerBound)-\(ports.upperBound)"
            return "\(protocolName)/\(port)"
        }
    }

    /// `[[firewall.allow]]`: who may begin connections to whom, besides what is built in.
    package struct Allow: Equatable, Sendable {
        /// `comment`: why, for whoever reads the status.
        package var comment: String
        package var from: Zone
        package var to: Zone
        /// nil: any.
        package var source: CIDR?
        package var destination: CIDR?
        /// `mac`: of the sender, on the LAN.
        package var mac: MACAddress?
        /// `port`
        package var service: Service
        /// `until`: closed from then on; nil: it stays.
        package var until: WallTime?
        /// `when`: open only in these hours, by the router's own time zone; nil: always.
        package var when: WeeklyHours?
        /// `let-the-wan-in`: consent to what begins on the WAN.
        package var letsTheWANIn: Bool

        package init(
            comment: String, from: Zone, to: Zone, source: CIDR? = nil, destination: CIDR? = nil,
            mac: MACAddress? = nil, service: Service, until: WallTime? = nil,
            when: WeeklyHours? = nil, letsTheWANIn: Bool = false
        ) {
            self.comment = comment
            self.from = from
            self.to = to
            self.source = source
            self.destination = destination
            self.mac = mac
            self.service = service
            self.until = until
            self.when = when
            self.letsTheWANIn = letsTheWANIn
        }
    }

    /// `[[firewall.forward]]`: a port of the router's address on the WAN that leads to a machine.
    package struct Forward: Equatable, Sendable {
        package var comment: String
        /// `port`: on the router.
        package var port: TransportPort
        /// nil: anybody on the WAN.
        package var source: CIDR?
        /// `to`: the machine.
        package var machine: IPv4Address
        /// `to-port`; the same as `port` when it is not set.
        package var machinePort: UInt16
        /// `let-the-wan-in`
        package var letsTheWANIn: Bool

        package init(
            comment: String, port: TransportPort, source: CIDR? = nil, machine: IPv4Address,
            machinePort: UInt16, letsTheWANIn: Bool
        ) {
            self.comment = comment
            self.port = port
            self.source = source
            self.machine = machine
            self.machinePort = machinePort
            self.letsTheWANIn = letsTheWANIn
        }
    }
}

extension Settings.Firewall.Allow: CustomStringConvertible {
    /// As in `wan 10.1.2.0/24 to lan 192.168.140.10/32, tcp/502, mon-fri 06:00-18:00`.
    package var description: String {
        let sender = [from.rawValue, source?.description, mac?.description].compactMap { $0 }
        let receiver = [to.rawValue, destination?.description].compactMap { $0 }
        let hours = when.map { ", \($0)" } ?? ""
        return "\(sender.joined(separator: " ")) to \(receiver.joined(separator: " ")), \(service)"
            + hours
    }
}

extension Settings.Firewall.Forward: CustomStringConvertible {
    /// As in `wan any to router tcp/8502, on to 192.168.140.10:502`.
    package var description: String {
        "wan \(source?.description ?? "any") to router \(port), on to \(machine):\(machinePort)"
    }
}
