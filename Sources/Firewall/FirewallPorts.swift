/// What the service needs of the kernel's packet filter.
package protocol FilterTable: Sendable {
    /// Loads an nft text as one transaction: all of it, or nothing.
    func load(_ text: String) async throws

    /// What is in force now.
    func read() throws -> InstalledTable

    /// The packets and bytes that each named counter has seen.
    func counters() throws -> [FirewallStatus.Counter]
}

/// The kernel's own switches and routing rules: the second line behind the packet filter.
package protocol Forwarding: Sendable {
    /// Makes it so; what is so already is not touched.
    func set(_ plan: ForwardingPlan) throws
}
