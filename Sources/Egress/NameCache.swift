package import Base

/// The names whose addresses are open, until their time is over.
package struct NameCache: Sendable {
    package struct Entry: Equatable, Sendable {
        package var addresses: [IPv4Address]
        package var expiresAt: Instant
    }

    /// Most names held; the one that would expire first makes room.
    package static let namesMax = 256

    private var entries: [DomainName: Entry] = [:]

    package init() {}

    /// The entry of a name that is still to be believed.
    package func entry(_ name: DomainName, at now: Instant) -> Entry? {
        entries[name].flatMap { $0.expiresAt > now ? $0 : nil }
    }

    package mutating func insert(_ name: DomainName, _ entry: Entry, at now: Instant) {
        entries = entries.filter { $0.value.expiresAt > now }
        if entries.count >= Self.namesMax, entries[name] == nil,
            let first = entries.min(by: { $0.value.expiresAt < $1.value.expiresAt })
        {
            entries[first.key] = nil
        }
        entries[name] = entry
    }

    /// All that is still to be believed, by name.
    package func live(at now: Instant) -> [(name: DomainName, entry: Entry)] {
        entries.filter { $0.value.expiresAt > now }
            .map { (name: $0.key, entry: $0.value) }
            .sorted { $0.name.description < $1.name.description }
    }
}
