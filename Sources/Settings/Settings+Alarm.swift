extension Settings.Firewall {
    /// `[firewall.alarm]`: from when on something counts as a sign of an attack; 0: never.
    package struct Alarm: Equatable, Sendable {
        /// Packets dropped in a second, from each side.
        package var drops = 200
        /// Connections begun in a second, from each network.
        package var new = 200
        /// TCP connections begun in a second, from each network.
        package var syn = 100
        /// `conntrack`: how full the kernel's table of connections is, in percent.
        package var conntrackPercent = 80

        package init() {}
    }
}
