// One machine on the LAN.
//
//     unknown ── answers ──▶ there ── silent `missesMax` looks in a row ──▶ gone
//        │                     ▲                                             │
//        │                     └───────────────── answers ───────────────────┘
//        └────────── silent `missesMax` looks in a row ──▶ gone
package import Base

/// The router's other side: which of its ports have a cable, and which machines are there, as ARP says.
package struct LANWatch: Equatable, Sendable {
    package struct Port: Equatable, Sendable {
        package var name: String
        package var hasCarrier: Bool
        package var since: Instant
    }

    package struct Machine: Equatable, Sendable {
        package var name: String
        package var address: IPv4Address
        /// nil: not known yet.
        package fileprivate(set) var isThere: Bool?
        /// When that began: the first look that was in vain, or the first answer.
        package fileprivate(set) var since: Instant
        fileprivate var misses = 0
        fileprivate var missedAt: Instant?
    }

    /// Looks in a row without an answer that are believed.
    package static let missesMax = 2

    package private(set) var ports: [Port] = []
    package private(set) var machines: [Machine] = []

    package init() {}

    package mutating func portsSeen(_ seen: [(name: String, hasCarrier: Bool)], at now: Instant) {
        ports = seen.map { port in
            let before = ports.first { $0.name == port.name && $0.hasCarrier == port.hasCarrier }
            return Port(
                name: port.name, hasCarrier: port.hasCarrier, since: before?.since ?? now)
        }
    }

    /// Who is to be there; what is known of those that stay is kept.
    package mutating func expect(
        _ wanted: [(name: String, address: IPv4Address)], at now: Instant
    ) {
        machines = wanted.map { machine in
            machines.first { $0.name == machine.name && $0.address == machine.address }
                ?? Machine(name: machine.name, address: machine.address, isThere: nil, since: now)
        }
    }

    /// What became of the questions of the last look; an address that is not among the answers is still being asked.
    package mutating func looked(_ answers: [IPv4Address: Bool], at now: Instant) {
        for index in machines.indices {
            switch answers[machines[index].address] {
            case true: machines[index].answered(at: now)
            case false: machines[index].missed(at: now)
            case nil: break
            }
        }
    }
}

extension LANWatch.Machine {
    fileprivate mutating func answered(at now: Instant) {
        (misses, missedAt) = (0, nil)
        guard isThere != true else { return }
        (isThere, since) = (true, now)
    }

    fileprivate mutating func missed(at now: Instant) {
        let first = missedAt ?? now
        missedAt = first
        misses += 1
        guard misses >= LANWatch.missesMax, isThere != false else { return }
        (isThere, since) = (false, first)
    }
}
