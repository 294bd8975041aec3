import Base

/// New rules on trial: they stand beside the old ones, which the kernel returns to by itself (§2.9).
extension Ruleset {
    /// The base chains that a trial bypasses.
    static let triedChains = [
        "input", "forward", "output", "marks", "destination_nat", "source_nat",
    ]

    /// The name of the chain that takes a base chain's place, and of the map that leads there.
    static func trialName(_ chain: String) -> String { "trial_\(chain)" }

    /// These rules with `candidate` in front of them: as long as the maps lead there, it decides.
    package func trying(_ candidate: Ruleset) -> Ruleset {
        var combined = chains
        for index in combined.indices {
            let name = combined[index].name
            if Self.triedChains.contains(name) {
                combined[index].rules.insert(
                    "meta nfproto vmap @\(Self.trialName(name))", at: 0)
            } else if let tried = Self.triedChains.first(where: { Self.trialName($0) == name }) {
                combined[index].rules =
                    candidate.chains.first { $0.name == tried }?.rules.map { rule in
                        candidate.exceptions.reduce(rule) { text, set in
                            text.replacing("@\(set.name) ", with: "@\(Self.trialName(set.name)) ")
                        }
                    } ?? []
            }
        }
        let own = exceptions
        let added = candidate.exceptions.map { set in
            var renamed = set
            renamed.name = Self.trialName(set.name)
            return renamed
        }
        let counters =
            forwardCounters + candidate.forwardCounters.filter { !forwardCounters.contains($0) }
        var both = Ruleset(chains: combined, exceptions: own + added, forwardCounters: counters)
        both.notesRefused = notesRefused
        return both
    }

    /// The commands that let the candidate decide for a time, in the same transaction as its rules.
    package static func beginningTrial(for duration: Duration) -> String {
        let time = "\(max(1, duration.nanoseconds / 1_000_000))ms"
        return triedChains.map(trialName).map { name in
            "flush map inet \(table) \(name)\n"
                + "add element inet \(table) \(name) { "
                + "ipv4 timeout \(time) : goto \(name), ipv6 timeout \(time) : goto \(name) }\n"
        }.joined()
    }

    /// The commands that end every trial: goes with each text that is not itself a trial's.
    package static let endingTrial = triedChains.map {
        "flush map inet \(table) \(trialName($0))\n"
    }.joined()
}
