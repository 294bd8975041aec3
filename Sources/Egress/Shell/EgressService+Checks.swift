package import Base
import Linux
import Settings

// Where the server is that shows whether an uplink wants a login.
extension EgressService {
    /// An address is open for so long: a check takes a few seconds.
    private static let checkTime = Duration.seconds(60)

    /// The addresses of a name as the name servers tell them over one uplink, open for a check when this returns.
    ///
    /// It may be on no list, and lead over any alias: a network with a login page says of names what it likes anyway. What it
    /// says is neither believed elsewhere nor kept.
    package func locate(
        _ name: DomainName, over interface: String, from source: IPv4Address
    ) async throws(EgressError) -> [IPv4Address] {
        let upstream = BoundUpstream(interface: interface, source: source)
        var reason = "there is none"
        for server in dns.servers {
            do {
                let answer = try await upstream.ask(name, at: server)
                switch policy.judgeAddresses(answer) {
                case .admitted(let addresses, _):
                    do {
                        try await opener.openForCheck(addresses, for: Self.checkTime)
                    } catch {
                        throw EgressError.notOpened(name, reason: "\(error)")
                    }
                    return addresses
                case .addressForbidden(let address):
                    throw EgressError.addressForbidden(name, address)
                case .noSuchName, .noAddress, .aliasNotAllowed: throw EgressError.noAddress(name)
                case .unusable(let code): reason = "\(server) said code \(code.rawValue)"
                }
            } catch let error as EgressError {
                throw error
            } catch {
                reason = "\(error)"
            }
        }
        throw .unanswered(name, reason: reason)
    }
}
