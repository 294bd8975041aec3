import Base
package import Settings

extension FirewallService {
    /// Notes which exceptions have counted since the last look.
    func sampleHits() throws {
        let now = clock.now()
        hitsAt = now
        for set in inForce?.ruleset.exceptions ?? [] {
            hits.note(try table.hits(set), in: set.name, at: now)
        }
    }

    /// What is in force, what was dropped, and what the exceptions let pass.
    ///
    /// `alarm`: by what signs of an attack are told; nil: this look is not for them. `comparing`: all rules are read and
    /// compared now; else what `keep` found last counts, which hears of changes at once.
    package func status(
        alarm: Settings.Firewall.Alarm? = nil, comparing: Bool = true
    ) throws -> FirewallStatus {
        if comparing {
            let installed = try table.read()
            stands = inForce.map { $0.installed == installed } ?? false
        }
        try sampleHits()
        let counters = try table.counters()
        if let alarm {
            let look = look(counters)
            signs.handle(look, limits: alarm, at: clock.now())
            readRefused(look)
        }
        let ruleset = inForce?.ruleset
        let exceptions = (ruleset?.exceptions ?? []).flatMap { set in
            set.elements.map { element in
                let hit = hits.hit(element, in: set)
                return FirewallStatus.Exception(
                    number: element.number, packets: hit.packets, bytes: hit.bytes,
                    lastAt: hit.lastAt)
            }
        }
        return FirewallStatus(
            isInForce: stands && inForce != nil,
            isOpenForLoopbackOnly: ruleset == .denyAll,
            dropped: Ruleset.Counter.allCases.compactMap { counter in
                counters.first { $0.name == counter.rawValue }
            },
            exceptions: exceptions.sorted { $0.number < $1.number },
            forwarded: (ruleset?.forwardCounters ?? []).compactMap { name in
                counters.first { $0.name == name }
            }, foreignChanges: foreignChanges, foreignChangeBy: foreignChangeBy,
            signs: signs.active,
            refused: refusedLately(),
            trialEnds: trialEnds)
    }

    /// What the kernel has forgotten by now is left out.
    private func refusedLately() -> [RefusedPackets] {
        let oldest = clock.now() - .seconds(Int64(Ruleset.refusedSeconds))
        return Ruleset.refusedZones.flatMap { zone in
            refused[zone].flatMap { $0.at > oldest ? $0.sample : nil } ?? []
        }
    }

    /// What each counter is a sign of.
    private static let meanings: [String: AttackSigns.Sign] = {
        var meanings: [String: AttackSigns.Sign] = [:]
        for counter in Ruleset.Counter.allCases {
            meanings[counter.rawValue] = counter.zone.map { .init($0, .drops) }
        }
        for zone in Ruleset.flowZones {
            for measure in [AttackSigns.Measure.new, .syn] {
                meanings[Ruleset.flowCounter(measure, zone)] = .init(zone, measure)
            }
        }
        return meanings
    }()

    /// The counters by what they are a sign of.
    private func look(_ counters: [FirewallStatus.Counter]) -> AttackSigns.Look {
        var look = AttackSigns.Look(conntrackPercent: table.conntrackPercent())
        for counter in counters {
            guard let sign = Self.meanings[counter.name] else { continue }
            look.counts[sign, default: 0] += counter.packets
        }
        return look
    }

    /// Reads the notes of the zones that have dropped something since: on a quiet day of none.
    private func readRefused(_ look: AttackSigns.Look) {
        guard inForce?.ruleset.notesRefused ?? false else { return }
        for zone in Ruleset.refusedZones {
            let packets = look.counts[.init(zone, .drops)] ?? 0
            guard packets != refused[zone]?.packets ?? 0 else { continue }
            // Somebody else may just be changing the table: with the next look.
            guard let sample = try? table.refused(zone) else { continue }
            refused[zone] = (packets, clock.now(), sample)
        }
    }
}
