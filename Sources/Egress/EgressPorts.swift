package import Base

/// The firewall, as the resolver needs it.
package protocol AddressOpener: Sendable {
    /// Lets the router reach addresses, from the return of this call until `duration` has passed.
    func open(_ addresses: [IPv4Address], for duration: Duration) async throws
    /// The same for the servers that are asked whether an uplink wants a login, on their port only.
    func openForCheck(_ addresses: [IPv4Address], for duration: Duration) async throws
}

/// A name server somewhere.
package protocol Upstream: Sendable {
    /// Asks one server once for the IPv4 addresses of a name; throws when no valid answer comes in time.
    ///
    /// Valid is an answer from that server to this question; what it says is judged by the caller.
    func ask(_ name: DomainName, at server: IPv4Address) async throws -> DNSMessage
}

/// Who asks.
package protocol AskerFinder: Sendable {
    /// Whose question came from a socket of this machine, while it waits for the answer; nil: it cannot be told.
    func asker(at address: IPv4Address, port: UInt16) -> AskerLog.Asker?
}
