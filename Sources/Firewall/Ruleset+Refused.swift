import Base

/// Who was refused, and what it wanted: a sample that the kernel itself keeps in small sets (§2.6), so that a flood
/// wakes nobody.
extension Ruleset {
    /// Most that is remembered of a zone, and for how long.
    package static let refusedMax = 64
    static let refusedSeconds = 120
    /// What comes faster is dropped without being looked at.
    static let refusedPerSecond = 100

    /// The zones whose refused packets are noted.
    package static let refusedZones: [AttackSigns.Zone] = [.wan, .lan, .vpn, .router]

    /// The chain, and the set that it fills.
    package static func refused(_ zone: AttackSigns.Zone) -> String { "refused_\(zone.rawValue)" }

    /// They stand also when nothing is noted, so that every ruleset has the same chains.
    static func refusedChains(noting: Bool) -> [Chain] {
        refusedZones.map { zone in
            Chain(name: refused(zone), rules: noting ? notes(zone) : [])
        }
    }

    private static func notes(_ zone: AttackSigns.Zone) -> [String] {
        let add = "add @\(refused(zone)) { ip saddr . ip daddr . meta l4proto . th"
        return [
            "limit rate over \(refusedPerSecond)/second burst \(refusedPerSecond) packets drop",
            "meta l4proto { tcp, udp } \(add) dport } drop",
            // Of ICMP these are the type and the code.
            "\(add) sport }",
            "drop",
        ]
    }

    /// Nothing is noted: for a kernel that has no limits or no sets that packets fill.
    var withoutNotes: Ruleset {
        var plain = Ruleset(
            chains: chains.map { chain in
                Self.refusedZones.map(Self.refused).contains(chain.name)
                    ? Chain(name: chain.name, rules: []) : chain
            }, exceptions: exceptions, forwardCounters: forwardCounters)
        plain.notesRefused = false
        return plain
    }

    var refusedSets: [String] {
        guard notesRefused else { return [] }
        return Self.refusedZones.flatMap { zone in
            [
                "\tset \(Self.refused(zone)) {",
                "\t\ttype ipv4_addr . ipv4_addr . inet_proto . inet_service",
                "\t\tflags dynamic, timeout", "\t\ttimeout \(Self.refusedSeconds)s", "\t\tcounter",
                "\t\tsize \(Self.refusedMax)", "\t}",
            ]
        }
    }

    /// A rule as it is written: what it drops goes by way of the notes.
    func written(_ rule: String) -> String {
        guard notesRefused, rule.hasSuffix(" drop"),
            let counter = Counter.allCases.first(where: { rule.hasSuffix($0.drop) }),
            let zone = counter.zone, Self.refusedZones.contains(zone)
        else { return rule }
        return rule.dropLast("drop".count) + "goto \(Self.refused(zone))"
    }
}

extension Ruleset.Counter {
    /// Who sent it; nil: it is dropped by order of the key, which is no sign of an attack.
    package var zone: AttackSigns.Zone? {
        switch self {
        case .wanToRouter, .wanToLAN: .wan
        case .lanToRouter, .lanToWAN, .lanToVPN: .lan
        case .vpnToRouter, .vpnToLAN: .vpn
        case .egress: .router
        case .otherToRouter, .otherForward, .ipv6, .invalid: .unknown
        case .uplinksCut: nil
        }
    }
}
