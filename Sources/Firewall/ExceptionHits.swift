package import Base

/// What each exception has let pass, over all exchanges of the rules, and when it was last seen to count.
package struct ExceptionHits: Sendable {
    /// An element's counter as the kernel has it.
    package struct Sample: Equatable, Sendable {
        package var key: [UInt8]
        package var keyEnd: [UInt8]
        package var packets: UInt64
        package var bytes: UInt64
    }

    package struct Hit: Equatable, Sendable {
        package var packets: UInt64 = 0
        package var bytes: UInt64 = 0
        /// nil: never, since this process runs.
        package var lastAt: Instant?
    }

    private struct Name: Hashable {
        var set: String
        var key: [UInt8]
        var keyEnd: [UInt8]
    }

    private var hits: [Name: Hit] = [:]
    /// What the kernel had counted when it was last looked at.
    private var seen: [Name: Sample] = [:]

    package init() {}

    /// Takes in what the kernel has counted in one set.
    package mutating func note(_ samples: [Sample], in set: String, at now: Instant) {
        for sample in samples {
            let name = Name(set: set, key: sample.key, keyEnd: sample.keyEnd)
            let before = seen[name] ?? Sample(key: [], keyEnd: [], packets: 0, bytes: 0)
            seen[name] = sample
            // A counter that has fallen was begun anew.
            let isNew = sample.packets < before.packets
            let packets = sample.packets - (isNew ? 0 : before.packets)
            guard packets > 0 else { continue }
            var hit = hits[name] ?? Hit()
            hit.packets += packets
            hit.bytes += sample.bytes - (isNew ? 0 : min(before.bytes, sample.bytes))
            hit.lastAt = now
            hits[name] = hit
        }
    }

    /// The kernel counts from zero again; what is in none of `sets` is forgotten.
    package mutating func restart(keeping sets: [ExceptionSet]) {
        seen = [:]
        let kept = Set(sets.flatMap { set in set.elements.map { Self.name($0, set) } })
        hits = hits.filter { kept.contains($0.key) }
    }

    package func hit(_ element: ExceptionSet.Element, in set: ExceptionSet) -> Hit {
        hits[Self.name(element, set)] ?? Hit()
    }

    private static func name(_ element: ExceptionSet.Element, _ set: ExceptionSet) -> Name {
        Name(set: set.name, key: element.key, keyEnd: element.keyEnd)
    }
}
