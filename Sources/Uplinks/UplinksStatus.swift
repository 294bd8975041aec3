package import Base

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
        /// How often a silence was looked into by a burst of probes.
        package var bursts: Int
        /// When it last came up, or ceased to be up.
        package var since: Instant
        /// Why it stands as it does: `3 probes lost to 1.1.1.1, 9.9.9.9`.
        package var reason: String
    }

    /// By preference.
    package var uplinks: [Uplink]
    /// How often the carrying uplink changed.
    package var switches: Int
    /// Why the routing tables are not as they shall be; nil when they are.
    package var problem: String?
}
