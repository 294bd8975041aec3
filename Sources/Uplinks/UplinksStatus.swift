package import Base
package import Settings

/// What other rooms must know at once: the default route leads over this uplink from now on.
package struct UplinkSelected: Equatable, Sendable {
    package var name: String
    /// The source address of what the router sends over it.
    package var address: IPv4Address
}

/// All uplinks at one moment.
package struct UplinksStatus: Equatable, Sendable {
    package struct Uplink: Equatable, Sendable {
        package var name: String
        package var interface: String
        package var address: IPv4Address?
        package var gateway: IPv4Address?
        package var standing: UplinkMonitor.Standing
        package var isUp: Bool { standing == .up }
        package var isCarrying: Bool
        package var hasCarrier: Bool
        /// Mean over the window; nil without an answer.
        package var roundTripTime: Duration?
        /// Over the window; nil while no probe has ended.
        package var lossPercent: Double?
        /// Mean difference between successive round-trip times.
        package var jitter: Duration?
        /// The last probes, oldest first; nil: lost.
        package var history: [Duration?]
        package var targets: [Settings.ProbeTarget]
        /// Those of them that answered none of the last probes they were sent, while others may.
        package var silentTargets: Set<IPv4Address>
        /// It is up, but serves badly, in words.
        package var poorness: String?
        /// It answers, but wants a login, in words: `wants a login at hotel.example (…)`.
        package var login: String?
        /// It is up, but not chosen before this, because it has failed.
        package var heldUntil: Instant?
        /// How often a silence was looked into by a burst of probes.
        package var bursts: Int
        /// When it last came up, or ceased to be up.
        package var since: Instant
        /// Why it stands as it does: `3 probes lost to 1.1.1.1, 9.9.9.9`.
        package var reason: String
        /// nil: its probes may take what they need.
        package var budget: Budget?
    }

    /// What the probes of an uplink may take in a month, and have taken.
    package struct Budget: Equatable, Sendable {
        package var bytes: Int64
        package var used: Int64
        /// The time from one probe to the next.
        package var interval: Duration
    }

    /// By preference.
    package var uplinks: [Uplink]
    /// How often the carrying uplink changed.
    package var switches: Int
    /// The last of them, oldest first.
    package var history: [UplinkSwitch]
    /// Why the routing tables are not as they shall be; nil when they are.
    package var problem: String?
}

/// Another uplink was chosen, and why.
package struct UplinkSwitch: Equatable, Sendable {
    /// Most that are remembered.
    package static let historyMax = 64

    /// When the new route was in force.
    package var at: Instant
    package var from: String
    package var to: String
    /// In words.
    package var cause: String
    /// From the last sign of life of the old uplink to the new route; nil when the old one still worked.
    package var blackout: Duration?
    /// Clients' TCP connections over the old uplink that were reset.
    package var resets: Int
}
