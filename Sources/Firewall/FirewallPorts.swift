package import Base

/// What the service needs of the kernel's packet filter.
package protocol FilterTable: Sendable {
    /// Loads an nft text as one transaction: all of it, or nothing.
    func load(_ text: String) async throws

    /// What is in force now.
    func read() throws -> InstalledTable

    /// The packets and bytes that each named counter has seen.
    func counters() throws -> [FirewallStatus.Counter]

    /// What each exception has let pass since it was loaded.
    func hits(_ set: ExceptionSet) throws -> [ExceptionHits.Sample]

    /// What was refused lately from a zone.
    func refused(_ zone: AttackSigns.Zone) throws -> [RefusedPackets]

    /// How full the kernel's table of connections is, in percent; nil: it cannot be read.
    func conntrackPercent() -> UInt64?

    /// The cloud addresses that are open, and for how long they still are.
    func openAddresses() throws -> [OpenAddress]

    /// Waits until somebody else may have changed the table, at most until `deadline`; nil: nobody has.
    ///
    /// Called by one task at a time.
    func waitForForeignChange(until deadline: Instant) async throws -> ForeignChange?
}

/// A cloud address that the router may reach at this moment.
package struct OpenAddress: Equatable, Sendable {
    package var address: IPv4Address
    package var remaining: Duration
}

/// A change of the table by another process than this one or its `nft`.
package struct ForeignChange: Equatable, Sendable {
    /// The name of the program.
    package var by: String
    /// Whether elements of sets were touched, which a comparison of the rules does not see.
    package var touchesElements: Bool
}

/// The kernel's own switches and routing rules: the second line behind the packet filter.
package protocol Forwarding: Sendable {
    /// Makes it so; what is so already is not touched.
    func set(_ plan: ForwardingPlan) throws
}
