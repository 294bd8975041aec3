/// What the kernel says is in force: read back after every change, and compared at every `apply`.
package struct InstalledTable: Equatable, Sendable {
    package struct Chain: Equatable, Sendable {
        /// nil: not a base chain.
        package var hook: Ruleset.Hook?
        package var dropsByDefault: Bool
        /// The rules in order, as the kernel dumps them.
        package var rules: [[UInt8]]

        package init(hook: Ruleset.Hook?, dropsByDefault: Bool, rules: [[UInt8]]) {
            self.hook = hook
            self.dropsByDefault = dropsByDefault
            self.rules = rules
        }
    }

    package var chains: [String: Chain]

    package init(chains: [String: Chain]) {
        self.chains = chains
    }

    /// What is not as the ruleset wants it, in words; nil when everything is there.
    package func deviation(from ruleset: Ruleset) -> String? {
        for wanted in ruleset.chains {
            guard let chain = chains[wanted.name] else { return "chain \(wanted.name) is missing" }
            guard chain.hook == wanted.hook else {
                return
                    "chain \(wanted.name) is not at its hook (\(wanted.hook?.declaration ?? "none"))"
            }
            let isFilter = wanted.hook.map { Ruleset.Hook.filters.contains($0) } ?? false
            guard !isFilter || chain.dropsByDefault else {
                return "chain \(wanted.name) does not drop by default"
            }
            guard chain.rules.count == wanted.rules.count else {
                return "chain \(wanted.name) has \(chain.rules.count) of "
                    + "\(wanted.rules.count) rules"
            }
        }
        guard chains.count == ruleset.chains.count else { return "there are foreign chains" }
        return nil
    }
}
