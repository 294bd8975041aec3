package import Base

/// What the firewall tells of itself.
package struct FirewallStatus: Equatable, Sendable {
    package struct Counter: Equatable, Sendable {
        /// `wan_to_lan` and the like; `docs/behaviour.md` §2.6 lists them.
        package var name: String
        package var packets: UInt64
        package var bytes: UInt64

        package init(name: String, packets: UInt64, bytes: UInt64) {
            self.name = name
            self.packets = packets
            self.bytes = bytes
        }
    }

    /// Whether the kernel holds exactly what was applied last.
    package var isInForce: Bool
    /// Whether that is the deny-all ruleset.
    package var isOpenForLoopbackOnly: Bool
    /// What was dropped since the table exists, in the order of `Ruleset.Counter`.
    package var dropped: [Counter]
    /// Connections that exceptions let pass, in the order of the config.
    package var exceptions: [Exception] = []
    /// What came for the port forwards, in the order of the config.
    package var forwarded: [Counter] = []
    /// How often somebody else's change was put back.
    package var foreignChanges = 0
    /// The program that made the last of them, as the kernel calls it; nil: it is not known.
    package var foreignChangeBy: String?
    /// Signs of an attack that last.
    package var signs: [AttackSigns.Active] = []
    /// What was dropped lately, a sample; those of a zone in the order of their number.
    package var refused: [RefusedPackets] = []
    /// When the rules on trial end unless they are confirmed; nil: none are.
    package var trialEnds: Instant?

    package struct Exception: Equatable, Sendable {
        /// Its place in the config, from 0.
        package var number: Int
        package var packets: UInt64
        package var bytes: UInt64
        /// When it was last seen to count, within ten seconds; nil: never since the start.
        package var lastAt: Instant?
    }
}
