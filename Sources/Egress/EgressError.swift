package import Base

/// Why a name has no addresses for us.
package enum EgressError: Error, Equatable, CustomStringConvertible {
    case notAllowed(DomainName)
    case aliasNotAllowed(DomainName, alias: DomainName?)
    case addressForbidden(DomainName, IPv4Address)
    case noSuchName(DomainName)
    case noAddress(DomainName)
    /// No server gave a usable answer; `reason` is the last one's.
    case unanswered(DomainName, reason: String)
    case notOpened(DomainName, reason: String)

    package var description: String {
        switch self {
        case .notAllowed(let name):
            "cannot resolve \(name): it is not on the list; add it to `domains` in [cloud] if it "
                + "should be"
        case .aliasNotAllowed(let name, let alias):
            "cannot resolve \(name): its answer leads to \(alias?.description ?? "an odd name"), "
                + "which is not on the list (`domains` in [cloud])"
        case .addressForbidden(let name, let address):
            "cannot resolve \(name): its answer \(address) lies in a special or local network; look "
                + "at the name servers (`servers` in [dns])"
        case .noSuchName(let name): "cannot resolve \(name): there is no such name"
        case .noAddress(let name): "cannot resolve \(name): it has no IPv4 address"
        case .unanswered(let name, let reason):
            "cannot resolve \(name): no name server answered, the last one: \(reason)"
        case .notOpened(let name, let reason):
            "cannot resolve \(name): its addresses were not opened: \(reason)"
        }
    }

    /// What a program that asked over DNS is told.
    var responseCode: DNSMessage.ResponseCode {
        switch self {
        case .notAllowed, .aliasNotAllowed, .addressForbidden: .refused
        case .noSuchName: .noSuchName
        case .noAddress: .noError
        case .unanswered, .notOpened: .serverFailure
        }
    }
}
