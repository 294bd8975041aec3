package import Base

/// Which names may be asked for, and which answers may be believed (`docs/behaviour.md` §3).
package struct EgressPolicy: Sendable {
    package let allowed: [DomainPattern]
    /// The router's own networks (LAN, VPN), besides `specialNetworks`.
    package let forbidden: [CIDR]

    /// Most addresses of one answer that are opened.
    package static let addressesMax = 16
    /// Most aliases that are followed from a name to its addresses.
    package static let aliasesMax = 8
    /// An answer is believed for at least this long, whatever its time to live: a cloud that moves every few
    /// seconds must be followed, but each name is asked for at most once a second.
    package static let timeToLiveMin: Duration = .seconds(1)
    /// An answer is believed for at most this long.
    package static let timeToLiveMax: Duration = .seconds(86_400)
    /// An address is open for at least this long, however short its name is believed: connections to it are
    /// still beginning.
    package static let openMin: Duration = .seconds(60)
    /// An address stays open for so much longer than the name is believed: for who asked last.
    package static let grace: Duration = .seconds(60)

    /// How long an address is open whose name is believed for `rest` more.
    package static func openTime(_ rest: Duration) -> Duration { max(openMin, rest) + grace }

    /// Networks in which no public cloud can be (RFC 6890): an answer that points there would let a
    /// name on the list reach into the company network, the machine, or the router.
    package static let specialNetworks: [CIDR] = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
    ].compactMap { CIDR($0) }

    package init(allowed: [DomainPattern], forbidden: [CIDR]) {
        self.allowed = allowed
        self.forbidden = forbidden
    }

    /// What an answer is worth.
    package enum Verdict: Equatable, Sendable {
        /// The addresses may be opened, and the name believed for `timeToLive`.
        case admitted([IPv4Address], timeToLive: Duration)
        case noSuchName
        /// The name exists, but has no IPv4 address.
        case noAddress
        /// An alias leaves the list, at this name if it can be written.
        case aliasNotAllowed(DomainName?)
        case addressForbidden(IPv4Address)
        /// The server could not say: another one may.
        case unusable(DNSMessage.ResponseCode)

        var isUnusable: Bool {
            if case .unusable = self { true } else { false }
        }
    }

    package func allows(_ name: DomainName) -> Bool {
        allowed.contains { $0.matches(name) }
    }

    /// Judges an answer as a whole: one alias or address that may not be refuses all of it.
    package func judge(_ answer: DNSMessage, to name: DomainName) -> Verdict {
        switch answer.responseCode {
        case .noError: break
        case .noSuchName: return .noSuchName
        default: return .unusable(answer.responseCode)
        }
        var current = name
        var timeToLive = Self.timeToLiveMax
        for _ in 0...Self.aliasesMax {
            let records = answer.answers.filter { $0.name == current }
            guard let alias = records.first(where: { $0.data.isAlias }) else {
                return judge(records, timeToLive)
            }
            guard case .alias(let target) = alias.data, let target, allows(target) else {
                if case .alias(let target) = alias.data { return .aliasNotAllowed(target) }
                return .aliasNotAllowed(nil)
            }
            timeToLive = min(timeToLive, alias.timeToLive)
            current = target
        }
        // Too long a chain, or a circle.
        return .unusable(.noError)
    }

    /// Judges an answer by its addresses alone, whatever aliases led to them.
    func judgeAddresses(_ answer: DNSMessage) -> Verdict {
        switch answer.responseCode {
        case .noError: judge(answer.answers, Self.timeToLiveMax)
        case .noSuchName: .noSuchName
        default: .unusable(answer.responseCode)
        }
    }

    private func judge(_ records: [DNSMessage.Record], _ timeToLive: Duration) -> Verdict {
        var addresses: [IPv4Address] = []
        var timeToLive = timeToLive
        for record in records {
            guard case .address(let address) = record.data else { continue }
            guard !isForbidden(address) else { return .addressForbidden(address) }
            timeToLive = min(timeToLive, record.timeToLive)
            if addresses.count < Self.addressesMax, !addresses.contains(address) {
                addresses.append(address)
            }
        }
        guard !addresses.isEmpty else { return .noAddress }
        return .admitted(addresses, timeToLive: max(Self.timeToLiveMin, timeToLive))
    }

    private func isForbidden(_ address: IPv4Address) -> Bool {
        Self.specialNetworks.contains { $0.contains(address) }
            || forbidden.contains { $0.contains(address) }
    }
}

extension DNSMessage.Record.Data {
    fileprivate var isAlias: Bool {
        if case .alias = self { true } else { false }
    }
}

extension DNSMessage.Record {
    /// A value with the highest bit set counts as zero (RFC 2181 §8).
    fileprivate var timeToLive: Duration {
        .seconds(timeToLiveSeconds < 1 << 31 ? Int64(timeToLiveSeconds) : 0)
    }
}
