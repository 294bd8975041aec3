/// What the service needs of the kernel's packet filter.
package protocol FilterTable: Sendable {
    /// Loads an nft text as one transaction: all of it, or nothing.
    func load(_ text: String) async throws

    /// What is in force now.
    func read() throws -> InstalledTable

    /// The packets and bytes that each named counter has seen.
    func counters() throws -> [FirewallStatus.Counter]
}

/// The kernel's forwarding switches: the second line behind the rules.
package protocol Forwarding: Sendable {
    /// Lets the kernel forward at all, or not; `closed` interfaces never take part.
    func set(enabled: Bool, closed: [InterfaceName]) throws
}
