import Base

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
    package func status() throws -> FirewallStatus {
        let installed = try table.read()
        try sampleHits()
        let counters = try table.counters()
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
            isInForce: inForce.map { $0.installed == installed } ?? false,
            isOpenForLoopbackOnly: ruleset == .denyAll,
            dropped: Ruleset.Counter.allCases.compactMap { counter in
                counters.first { $0.name == counter.rawValue }
            },
            exceptions: exceptions.sorted { $0.number < $1.number },
            forwarded: (ruleset?.forwardCounters ?? []).compactMap { name in
                counters.first { $0.name == name }
            }, foreignChanges: foreignChanges,
            trialEnds: trialEnds)
    }
}
