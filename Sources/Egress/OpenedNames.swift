package import Base

/// Which names led to each address that is open: for people who ask why.
package struct OpenedNames: Sendable {
    package struct Entry: Equatable, Sendable {
        package var address: IPv4Address
        /// In alphabetical order.
        package var names: [DomainName]
    }

    /// Most pairs of an address and a name that are remembered; the one that ends first makes room.
    package static let pairsMax = 2048

    private struct Pair: Hashable {
        var address: IPv4Address
        var name: DomainName
    }
    private var until: [Pair: Instant] = [:]

    package init() {}

    /// Addresses of a name were opened.
    package mutating func note(
        _ addresses: [IPv4Address], of name: DomainName, until end: Instant, at now: Instant
    ) {
        for address in addresses { until[Pair(address: address, name: name)] = end }
        guard until.count > Self.pairsMax else { return }
        until = until.filter { $0.value > now }
        let surplus = until.sorted { $0.value < $1.value }.dropLast(Self.pairsMax)
        for (pair, _) in surplus { until[pair] = nil }
    }

    /// All that is open, by address.
    package func live(at now: Instant) -> [Entry] {
        Dictionary(grouping: until.filter { $0.value > now }.keys, by: \.address)
            .map { address, pairs in
                Entry(
                    address: address,
                    names: pairs.map(\.name).sorted { $0.description < $1.description })
            }.sorted { $0.address < $1.address }
    }
}
