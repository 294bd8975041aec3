extension StatusDocument.Firewall {
    /// A sign of an attack, or of a fault that looks like one.
    package struct Sign: Codable, Equatable, Sendable {
        /// `wan`, `lan`, `vpn`, `router` or `unknown`.
        package var zone: String
        /// `drops`, `new` or `syn`, each in a second, or `conntrack`, in percent.
        package var measure: String
        package var rate: UInt64
        package var peak: UInt64
        package var limit: UInt64
        /// All of them since it began; 0 for `conntrack`.
        package var total: UInt64
        package var sinceSeconds: Int

        package init(
            zone: String, measure: String, rate: UInt64, peak: UInt64, limit: UInt64,
            total: UInt64, sinceSeconds: Int
        ) {
            self.zone = zone
            self.measure = measure
            self.rate = rate
            self.peak = peak
            self.limit = limit
            self.total = total
            self.sinceSeconds = sinceSeconds
        }
    }

    /// Packets of one sender to one receiver and port that were dropped.
    package struct Refused: Codable, Equatable, Sendable {
        /// As in `counters[].name`.
        package var counter: String
        package var from: String
        package var to: String
        /// As in `tcp/22` or `icmp type 8`.
        package var service: String
        /// Of a flood only a part is counted.
        package var packets: UInt64

        package init(counter: String, from: String, to: String, service: String, packets: UInt64) {
            self.counter = counter
            self.from = from
            self.to = to
            self.service = service
            self.packets = packets
        }

        /// As in `10.1.0.66 to 10.1.0.2, tcp/22`.
        package var words: String { "\(from) to \(to), \(service)" }
    }
}

extension StatusDocument.Egress {
    /// A program of the router that asked for names that are not on the list.
    package struct Asker: Codable, Equatable, Sendable {
        package var uid: UInt32
        /// nil: the user has no name.
        package var user: String?
        /// nil: we may not see it.
        package var program: String?
        package var refused: UInt64
        /// What it asked for last.
        package var lastName: String

        package init(
            uid: UInt32, user: String?, program: String?, refused: UInt64, lastName: String
        ) {
            self.uid = uid
            self.user = user
            self.program = program
            self.refused = refused
            self.lastName = lastName
        }

        /// As in `curl of alice (uid 1000)`, `a program of uid 1000`.
        package var words: String {
            let owner = user.map { "\($0) (uid \(uid))" } ?? "uid \(uid)"
            return "\(program ?? "a program") of \(owner)"
        }
    }
}

extension StatusText {
    /// A sign in words, as it is now: `1,234 packets a second dropped from WAN (limit 200)`.
    package static func words(_ sign: StatusDocument.Firewall.Sign) -> String {
        "\(amount(sign.rate, sign)) (limit \(Figure.count(sign.limit)))"
    }

    /// The same for `problems`.
    package static func trouble(_ sign: StatusDocument.Firewall.Sign) -> String {
        "sign of an attack for \(Figure.age(seconds: sign.sinceSeconds)): \(words(sign))"
    }

    /// What came of it, in words, once it is over.
    static func summary(_ sign: StatusDocument.Firewall.Sign) -> String {
        let total = sign.total > 0 ? ", \(Figure.count(sign.total)) in all" : ""
        return "at most \(amount(sign.peak, sign))\(total)"
    }

    private static func amount(_ rate: UInt64, _ sign: StatusDocument.Firewall.Sign) -> String {
        let count = Figure.count(rate)
        let side = ["wan": " from WAN", "lan": " from LAN", "vpn": " from VPN"][sign.zone] ?? ""
        switch sign.measure {
        case "drops":
            let place = sign.zone == "router" ? " that the router sent" : side
            return "\(count) packets a second dropped\(place)"
        case "new": return "\(count) connections a second begun\(side)"
        case "syn": return "\(count) TCP connections a second begun\(side)"
        default: return "\(count) % of the room for connections used"
        }
    }
}
