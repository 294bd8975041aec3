package import Base

/// What the resolver tells of itself.
package struct EgressStatus: Equatable, Sendable {
    package struct Name: Equatable, Sendable {
        package var name: DomainName
        package var addresses: [IPv4Address]
        /// When the name is asked for again; its addresses stay open for longer (`EgressPolicy.openTime`).
        package var expiresAt: Instant
    }

    /// At most `NameCache.namesMax`, by name.
    package var names: [Name]
    /// The names behind each address that was opened and still is, by address.
    package var opened: [OpenedNames.Entry]
    /// At most `RefusalLog.namesMax`, the most refused first.
    package var refused: [RefusalLog.Entry]
    /// Refusals of still other names.
    package var refusedOthers: Int
    /// Who asked for names that are not on the list, at most `AskerLog.askersMax`, who asked most first.
    package var askers: [AskerLog.Entry]
    /// Queries that were dropped because too many were waiting.
    package var overloaded: Int
    /// Whether the name servers answered the last question.
    package var serversAnswer: Bool
    /// Since when they do not; nil while they do.
    package var silentSince: Instant?
}
